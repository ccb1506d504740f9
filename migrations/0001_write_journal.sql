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