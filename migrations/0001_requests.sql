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
