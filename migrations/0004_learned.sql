CREATE TABLE `answer_lengths` (
	`role` text NOT NULL,
	`key` text NOT NULL,
	`state` text NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`role`, `key`)
);
--> statement-breakpoint
CREATE TABLE `learned_rates` (
	`host` text NOT NULL,
	`model` text NOT NULL,
	`image` text NOT NULL,
	`state` text NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`host`, `model`, `image`)
);
