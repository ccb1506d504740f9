CREATE TABLE `energy_days` (
	`host_id` text NOT NULL,
	`day_ms` integer NOT NULL,
	`awake_seconds` real NOT NULL,
	`asleep_seconds` real NOT NULL,
	`card_joules` real NOT NULL,
	PRIMARY KEY(`host_id`, `day_ms`),
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `host_power` (
	`host_id` text PRIMARY KEY NOT NULL,
	`keep_awake_until_ms` integer,
	`keep_awake_reason` text,
	`last_slept_by` text,
	`last_slept_at_ms` integer,
	`slept_by_fabric` integer DEFAULT false NOT NULL,
	`woken_at_ms` integer,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `power_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`host_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	`state` text NOT NULL,
	`cause` text,
	`detail` text,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `power_events_host` ON `power_events` (`host_id`,`at_ms`);--> statement-breakpoint
CREATE TABLE `wake_proofs` (
	`host_id` text NOT NULL,
	`from_state` text NOT NULL,
	`proven_at_ms` integer NOT NULL,
	`wake_id` text NOT NULL,
	PRIMARY KEY(`host_id`, `from_state`),
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `wakes` (
	`wake_id` text PRIMARY KEY NOT NULL,
	`host_id` text NOT NULL,
	`asked_at_ms` integer NOT NULL,
	`asked_by` text NOT NULL,
	`key_id` text,
	`role` text,
	`deployment` text,
	`from_state` text NOT NULL,
	`outcome` text,
	`failed_phase` text,
	`detail` text,
	`phases` text NOT NULL,
	`ended_at_ms` integer,
	`waiters` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`host_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `wakes_host` ON `wakes` (`host_id`,`asked_at_ms`);