CREATE TABLE `declared_objects` (
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`position` integer NOT NULL,
	`document` text NOT NULL,
	`changed_revision` integer NOT NULL,
	`changed_at_ms` integer NOT NULL,
	PRIMARY KEY(`kind`, `name`)
);
--> statement-breakpoint
CREATE TABLE `host_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`host_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	`event` text NOT NULL,
	`detail` text,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `host_observations` (
	`host_id` text PRIMARY KEY NOT NULL,
	`last_seen_ms` integer NOT NULL,
	`last_goodbye_reason` text,
	`agent_version` text,
	`clock_skew_ms` integer,
	`inventory` text,
	`issues` text,
	`replicas` text,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `hosts` (
	`host_id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`public_key` text NOT NULL,
	`machine_sha256` text NOT NULL,
	`enrolled_at_ms` integer NOT NULL,
	`draining` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `hosts_name` ON `hosts` (`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `hosts_public_key` ON `hosts` (`public_key`);--> statement-breakpoint
CREATE TABLE `join_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`secret_sha256` text NOT NULL,
	`host_name` text,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`used_at_ms` integer,
	`used_by_host_id` text,
	`revoked_at_ms` integer,
	FOREIGN KEY (`used_by_host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
