CREATE TABLE `re_enrolments` (
	`token_id` text PRIMARY KEY NOT NULL,
	`host_id` text NOT NULL,
	FOREIGN KEY (`token_id`) REFERENCES `join_tokens`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `refused_keys` (
	`public_key` text PRIMARY KEY NOT NULL,
	`host_name` text NOT NULL,
	`reason` text NOT NULL,
	`refused_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `host_events_host` ON `host_events` (`host_id`,`id`);