ALTER TABLE `api_keys` ADD `default_class` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `most_urgent_class` text;