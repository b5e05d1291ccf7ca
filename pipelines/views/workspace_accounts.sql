-- Account that a workspace belongs to: the one whose API key last read its billing status; one row per workspace. Workspaces
-- of servers without the v2 API have no row
--
-- workspace_id    Sim workspace
-- account         Configured account, or default
WITH reads AS (
  SELECT
    workspace_id,
    COALESCE(account, 'default') AS account,
    ROW_NUMBER() OVER (PARTITION BY workspace_id ORDER BY observed_at DESC) AS age
  FROM sim.billing_status
)
SELECT workspace_id, account
FROM reads
WHERE age = 1
