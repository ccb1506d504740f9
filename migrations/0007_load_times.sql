CREATE TABLE `load_times` (
	`host_id` text NOT NULL,
	`deployment` text NOT NULL,
	`seconds` text NOT NULL,
	`told_seconds` real,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`host_id`, `deployment`),
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE `host_power` ADD `serving_watts` real;