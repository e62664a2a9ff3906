-- A person says that an execution was ours, with all others of its order: it becomes an unexpected position of a deployment.
SELECT adopt_unowned(CAST(:id AS uuid), CAST(:deployment_id AS uuid), :decided_by, :reason) AS position_id;
