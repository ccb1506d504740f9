CREATE TABLE `__new_usage_days` (
	`key` integer PRIMARY KEY NOT NULL,
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
	`ttft_count` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_usage_days`("key", "ok", "client_errors", "refused", "failed", "interrupted", "client_gone", "retries", "prompt_tokens", "completion_tokens", "cached_tokens", "total_ms", "max_total_ms", "queue_ms", "ttft_ms", "ttft_count") SELECT ("dimension" * 16777216 + "bucket") * 65536 + "name_id", "ok", "client_errors", "refused", "failed", "interrupted", "client_gone", "retries", "prompt_tokens", "completion_tokens", "cached_tokens", "total_ms", "max_total_ms", "queue_ms", "ttft_ms", "ttft_count" FROM `usage_days` WHERE "bucket" >= 0 AND "bucket" < 16777216 AND "name_id" < 65536 ORDER BY 1;--> statement-breakpoint
DROP TABLE `usage_days`;--> statement-breakpoint
ALTER TABLE `__new_usage_days` RENAME TO `usage_days`;--> statement-breakpoint
CREATE TABLE `__new_usage_hours` (
	`key` integer PRIMARY KEY NOT NULL,
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
	`ttft_count` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_usage_hours`("key", "ok", "client_errors", "refused", "failed", "interrupted", "client_gone", "retries", "prompt_tokens", "completion_tokens", "cached_tokens", "total_ms", "max_total_ms", "queue_ms", "ttft_ms", "ttft_count") SELECT ("dimension" * 16777216 + "bucket") * 65536 + "name_id", "ok", "client_errors", "refused", "failed", "interrupted", "client_gone", "retries", "prompt_tokens", "completion_tokens", "cached_tokens", "total_ms", "max_total_ms", "queue_ms", "ttft_ms", "ttft_count" FROM `usage_hours` WHERE "bucket" >= 0 AND "bucket" < 16777216 AND "name_id" < 65536 ORDER BY 1;--> statement-breakpoint
DROP TABLE `usage_hours`;--> statement-breakpoint
ALTER TABLE `__new_usage_hours` RENAME TO `usage_hours`;