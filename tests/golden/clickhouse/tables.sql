CREATE TABLE `analytics`.`sim___logs` (
`id` String,
`workspace_id` Nullable(String),
`execution_id` Nullable(String),
`workflow_id` Nullable(String),
`workflow_name` Nullable(String),
`deployment_version_id` Nullable(String),
`level` Nullable(String),
`trigger` Nullable(String),
`status` Nullable(String),
`v2_status` Nullable(String),
`started_at` Nullable(DateTime64(6,'UTC')),
`ended_at` Nullable(DateTime64(6,'UTC')),
`total_duration_ms` Nullable(Int64),
`cost_total` Nullable(Decimal(38,12)),
`files` Nullable(String),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___log_details` (
`id` String,
`workspace_id` Nullable(String),
`detail_source` Nullable(String),
`execution_id` Nullable(String),
`workflow_id` Nullable(String),
`workflow_name` Nullable(String),
`workflow_description` Nullable(String),
`workflow_folder_id` Nullable(String),
`workflow_deleted` Nullable(Boolean),
`finalization_path` Nullable(String),
`error` Nullable(String),
`prompt_tokens` Nullable(Int64),
`completion_tokens` Nullable(Int64),
`total_tokens` Nullable(Int64),
`cost_total` Nullable(Decimal(38,12)),
`span_count` Nullable(Int64),
`final_output` Nullable(String),
`execution_data` Nullable(String),
`created_at` Nullable(DateTime64(6,'UTC')),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___cost_items` (
`log_id` String,
`kind` String,
`name` String,
`workspace_id` Nullable(String),
`workflow_id` Nullable(String),
`execution_id` Nullable(String),
`started_at` Nullable(DateTime64(6,'UTC')),
`input_cost` Nullable(Decimal(38,12)),
`output_cost` Nullable(Decimal(38,12)),
`tool_cost` Nullable(Decimal(38,12)),
`total_cost` Nullable(Decimal(38,12)),
`prompt_tokens` Nullable(Int64),
`completion_tokens` Nullable(Int64),
`total_tokens` Nullable(Int64),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`log_id`, `kind`, `name`);

CREATE TABLE `analytics`.`sim___trace_spans` (
`log_id` String,
`span_index` Int64,
`workspace_id` Nullable(String),
`parent_index` Nullable(Int64),
`depth` Nullable(Int64),
`span_id` Nullable(String),
`block_id` Nullable(String),
`name` Nullable(String),
`type` Nullable(String),
`status` Nullable(String),
`model` Nullable(String),
`provider` Nullable(String),
`started_at` Nullable(DateTime64(6,'UTC')),
`ended_at` Nullable(DateTime64(6,'UTC')),
`duration_ms` Nullable(Float64),
`prompt_tokens` Nullable(Int64),
`completion_tokens` Nullable(Int64),
`total_tokens` Nullable(Int64),
`cache_read_tokens` Nullable(Int64),
`cache_write_tokens` Nullable(Int64),
`reasoning_tokens` Nullable(Int64),
`total_cost` Nullable(Decimal(38,12)),
`finish_reason` Nullable(String),
`ttft_ms` Nullable(Float64),
`loop_id` Nullable(String),
`parallel_id` Nullable(String),
`iteration_index` Nullable(Int64),
`child_execution_id` Nullable(String),
`error_type` Nullable(String),
`error_message` Nullable(String),
`input` Nullable(String),
`output` Nullable(String),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`log_id`, `span_index`);

CREATE TABLE `analytics`.`sim___execution_snapshots` (
`execution_id` String,
`workspace_id` Nullable(String),
`workflow_id` Nullable(String),
`state_hash` Nullable(String),
`trigger` Nullable(String),
`started_at` Nullable(DateTime64(6,'UTC')),
`ended_at` Nullable(DateTime64(6,'UTC')),
`total_duration_ms` Nullable(Int64),
`cost_total` Nullable(Decimal(38,12)),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`execution_id`);

CREATE TABLE `analytics`.`sim___workflow_states` (
`state_hash` String,
`workspace_id` Nullable(String),
`workflow_id` Nullable(String),
`blocks` Nullable(String),
`edges` Nullable(String),
`loops` Nullable(String),
`parallels` Nullable(String),
`variables` Nullable(String),
`block_count` Nullable(Int64),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`state_hash`);

CREATE TABLE `analytics`.`sim___audit_logs` (
`id` String,
`workspace_id` Nullable(String),
`actor_id` Nullable(String),
`actor_name` Nullable(String),
`actor_email` Nullable(String),
`action` Nullable(String),
`resource_type` Nullable(String),
`resource_id` Nullable(String),
`resource_name` Nullable(String),
`description` Nullable(String),
`metadata` Nullable(String),
`created_at` Nullable(DateTime64(6,'UTC')),
`account` Nullable(String),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___usage` (
`observed_at` DateTime64(6,'UTC'),
`workspace_id` Nullable(String),
`plan` Nullable(String),
`current_period_cost` Nullable(Decimal(38,12)),
`usage_limit` Nullable(Decimal(38,12)),
`sync_is_limited` Nullable(Boolean),
`sync_requests_per_minute` Nullable(Int64),
`sync_max_burst` Nullable(Int64),
`sync_remaining` Nullable(Int64),
`sync_reset_at` Nullable(DateTime64(6,'UTC')),
`async_is_limited` Nullable(Boolean),
`async_requests_per_minute` Nullable(Int64),
`async_max_burst` Nullable(Int64),
`async_remaining` Nullable(Int64),
`async_reset_at` Nullable(DateTime64(6,'UTC')),
`storage_used_bytes` Nullable(Int64),
`storage_limit_bytes` Nullable(Int64),
`storage_percent_used` Nullable(Float64),
`account` Nullable(String),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`observed_at`, `account`);

CREATE TABLE `analytics`.`sim___workflows` (
`id` String,
`workspace_id` Nullable(String),
`name` Nullable(String),
`description` Nullable(String),
`folder_id` Nullable(String),
`folder_path` Nullable(String),
`color` Nullable(String),
`is_deployed` Nullable(Boolean),
`deployed_at` Nullable(DateTime64(6,'UTC')),
`run_count` Nullable(Int64),
`last_run_at` Nullable(DateTime64(6,'UTC')),
`created_at` Nullable(DateTime64(6,'UTC')),
`updated_at` Nullable(DateTime64(6,'UTC')),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___workflow_versions` (
`id` String,
`workspace_id` Nullable(String),
`workflow_id` Nullable(String),
`version` Nullable(Int64),
`name` Nullable(String),
`description` Nullable(String),
`is_active` Nullable(Boolean),
`deployed_by` Nullable(String),
`latest_operation_status` Nullable(String),
`created_at` Nullable(DateTime64(6,'UTC')),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___workspaces` (
`id` String,
`workspace_id` Nullable(String),
`name` Nullable(String),
`member_count` Nullable(Int64),
`created_at` Nullable(DateTime64(6,'UTC')),
`updated_at` Nullable(DateTime64(6,'UTC')),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___billing_logs` (
`id` String,
`workspace_id` Nullable(String),
`created_at` Nullable(DateTime64(6,'UTC')),
`source` Nullable(String),
`workflow_id` Nullable(String),
`workflow_name` Nullable(String),
`execution_id` Nullable(String),
`credits` Nullable(Int64),
`cost_usd` Nullable(Decimal(38,12)),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`id`);

CREATE TABLE `analytics`.`sim___billing_status` (
`observed_at` DateTime64(6,'UTC'),
`workspace_id` String,
`plan` Nullable(String),
`status` Nullable(String),
`period_start` Nullable(DateTime64(6,'UTC')),
`period_end` Nullable(DateTime64(6,'UTC')),
`credits_used` Nullable(Int64),
`credits_limit` Nullable(Int64),
`credits_remaining` Nullable(Int64),
`storage_used_bytes` Nullable(Int64),
`storage_limit_bytes` Nullable(Int64),
`storage_percent_used` Nullable(Float64),
`account` Nullable(String),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`observed_at`, `workspace_id`);

CREATE TABLE `analytics`.`sim___rejected_rows` (
`table_name` String,
`record_id` String,
`seen_at` DateTime64(6,'UTC'),
`workspace_id` Nullable(String),
`reason` Nullable(String),
`row_json` Nullable(String),
`extra` Nullable(String))
ENGINE = MergeTree
PRIMARY KEY (`table_name`, `record_id`, `seen_at`);
