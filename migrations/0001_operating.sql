CREATE TABLE `api_key_secrets` (
	`secret_sha256` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`hint` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`valid_until_ms` integer,
	FOREIGN KEY (`key_id`) REFERENCES `api_keys`(`key_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `api_key_secrets_key` ON `api_key_secrets` (`key_id`);--> statement-breakpoint
CREATE TABLE `api_keys` (
	`key_id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`roles` text,
	`may_wake` integer NOT NULL,
	`may_cloud` integer NOT NULL,
	`requests_per_minute` integer,
	`tokens_per_minute` integer,
	`concurrent_requests` integer,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	`rotated_at_ms` integer,
	`revoked_at_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_name` ON `api_keys` (`name`) WHERE revoked_at_ms is null;--> statement-breakpoint
CREATE TABLE `request_hours` (
	`hour` integer PRIMARY KEY NOT NULL,
	`first_id` integer NOT NULL,
	`last_id` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `request_names` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `request_names_name` ON `request_names` (`name`);--> statement-breakpoint
CREATE TABLE `request_places` (
	`place` integer PRIMARY KEY NOT NULL,
	`id` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `request_trails` (
	`id` integer PRIMARY KEY NOT NULL,
	`trail` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `requests` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`ended_at_ms` integer NOT NULL,
	`role_id` integer NOT NULL,
	`key_id` integer NOT NULL,
	`host_id` integer NOT NULL,
	`outcome` integer NOT NULL,
	`target_id` integer NOT NULL,
	`endpoint_id` integer NOT NULL,
	`reason_id` integer NOT NULL,
	`stream` integer NOT NULL,
	`status` integer,
	`prompt_tokens` integer,
	`completion_tokens` integer,
	`cached_tokens` integer,
	`ttft_ms` integer,
	`total_ms` integer NOT NULL,
	`queue_ms` integer NOT NULL,
	`attempts` integer NOT NULL,
	`considered` integer NOT NULL,
	`request_id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `usage_days` (
	`bucket` integer NOT NULL,
	`dimension` integer NOT NULL,
	`name_id` integer NOT NULL,
	`ok` integer NOT NULL,
	`client_errors` integer NOT NULL,
	`refused` integer NOT NULL,
	`failed` integer NOT NULL,
	`interrupted` integer NOT NULL,
	`client_gone` integer NOT NULL,
	`retries` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`total_ms` integer NOT NULL,
	`max_total_ms` integer NOT NULL,
	`queue_ms` integer NOT NULL,
	`ttft_ms` integer NOT NULL,
	`ttft_count` integer NOT NULL,
	PRIMARY KEY(`dimension`, `bucket`, `name_id`)
);
--> statement-breakpoint
CREATE TABLE `usage_hours` (
	`bucket` integer NOT NULL,
	`dimension` integer NOT NULL,
	`name_id` integer NOT NULL,
	`ok` integer NOT NULL,
	`client_errors` integer NOT NULL,
	`refused` integer NOT NULL,
	`failed` integer NOT NULL,
	`interrupted` integer NOT NULL,
	`client_gone` integer NOT NULL,
	`retries` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`total_ms` integer NOT NULL,
	`max_total_ms` integer NOT NULL,
	`queue_ms` integer NOT NULL,
	`ttft_ms` integer NOT NULL,
	`ttft_count` integer NOT NULL,
	PRIMARY KEY(`dimension`, `bucket`, `name_id`)
);
--> statement-breakpoint
CREATE TABLE `telemetry_buckets` (
	`key` integer PRIMARY KEY NOT NULL,
	`data` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `telemetry_progress` (
	`run_id` text PRIMARY KEY NOT NULL,
	`last_seq` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `telemetry_series` (
	`series_id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`host_id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `telemetry_series_name` ON `telemetry_series` (`host_id`,`kind`,`name`);--> statement-breakpoint
CREATE TABLE `audit_log` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at_ms` integer NOT NULL,
	`request_id` text NOT NULL,
	`actor` text NOT NULL,
	`operation_id` text NOT NULL,
	`params` text NOT NULL,
	`body` text NOT NULL,
	`status` integer,
	`code` text
);
--> statement-breakpoint
CREATE INDEX `audit_log_operation` ON `audit_log` (`operation_id`,`id`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`key_sha256` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`request_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	`status` integer,
	`content_type` text,
	`body` text
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_at` ON `idempotency_keys` (`at_ms`);