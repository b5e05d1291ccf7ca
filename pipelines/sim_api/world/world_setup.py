"""The fixed parts of the data: accounts, people, workspaces, keys, workflows and deployments."""

from __future__ import annotations

import random
import threading
from typing import Any

from .entities import Account, ApiKey, AuditRow, Deployment, SimRun, SimWorkflow, User, Workspace
from .ids import uuid4

DAY_MS = 86_400_000


class WorldSetup:
    """Methods that create and rename these parts; `World` adds runs and audit rows."""

    random: random.Random
    now_ms: int
    lock: threading.RLock
    revision: int
    accounts: dict[str, Account]
    users: dict[str, User]
    workspaces: dict[str, Workspace]
    keys: dict[str, ApiKey]
    workflows: dict[str, SimWorkflow]
    runs: dict[str, SimRun]
    audit: list[AuditRow]

    def add_account(self, account_id: str, *, plan: str = "free", usage_limit: float = 5.0) -> Account:
        """Adds a payer; plan is free, pro, team or enterprise, the limit is in USD."""
        storage = 536_870_912_000 if plan == "enterprise" else 5_368_709_120
        account = Account(account_id, plan, usage_limit, storage_limit=storage)
        self.accounts[account_id] = account
        return account

    def add_user(self, user_id: str, name: str, *, account_id: str | None = None, role: str = "") -> User:
        """Adds a person; with a role, they belong to the organization that pays for them."""
        if account_id is None:
            account_id = self.add_account(user_id).id
        if role:
            self.accounts[account_id].members[user_id] = role
        user = User(user_id, name, f"{user_id}@example.com", account_id)
        self.users[user_id] = user
        return user

    def remove_user(self, user_id: str) -> None:
        """Removes a person from the organization; audit logs return their actions only on request."""
        with self.lock:
            self.accounts[self.users[user_id].account_id].members.pop(user_id)
            self.revision += 1

    def add_workspace(
        self, name: str, owner_id: str, *, workspace_id: str | None = None, readers: tuple[str, ...] = ()
    ) -> Workspace:
        """Adds a workspace, paid by its owner's account and readable by its owner and the readers."""
        account_id = self.users[owner_id].account_id
        workspace = Workspace(workspace_id or uuid4(self.random), name, owner_id, account_id, {owner_id, *readers})
        self.workspaces[workspace.id] = workspace
        return workspace

    def add_key(self, key: str, user_id: str, workspace_id: str | None = None) -> ApiKey:
        """Adds a personal key, or a workspace key created by this user."""
        self.keys[key] = ApiKey(key, user_id, workspace_id)
        return self.keys[key]

    def add_workflow(
        self,
        workspace_id: str,
        name: str,
        *,
        workflow_id: str | None = None,
        created_ms: int | None = None,
        deployed: bool = True,
        **about: Any,
    ) -> SimWorkflow:
        """Adds a workflow, by default deployed at its creation; ``about``: description, folder_id, model."""
        created = self.now_ms - 60 * DAY_MS if created_ms is None else created_ms
        slug = name.lower().replace(" ", "-")
        workflow = SimWorkflow(
            workflow_id or uuid4(self.random), workspace_id, name, created, created,
            sort_order=0, secret=f"sk-super-secret-{slug}", **about,
        )  # fmt: skip
        with self.lock:
            self.workflows[workflow.id] = workflow
            if deployed:
                self.deploy(workflow.id, deployed_ms=created)
            self.revision += 1
        return workflow

    def deploy(self, workflow_id: str, *, deployed_ms: int | None = None) -> Deployment:
        """Deploys a new version; runs started later have its id."""
        with self.lock:
            workflow = self.workflows[workflow_id]
            moment = self.now_ms if deployed_ms is None else deployed_ms
            version = Deployment(uuid4(self.random), len(workflow.deployments) + 1, moment)
            workflow.deployments.append(version)
            workflow.undeployed = False
            workflow.updated_ms = max(workflow.updated_ms, moment)
            self.revision += 1
            return version

    @staticmethod
    def version_at(workflow: SimWorkflow, moment_ms: int) -> str | None:
        """Returns the id of the version that was live at this moment, None for a draft."""
        live = [version.id for version in workflow.deployments if version.deployed_ms <= moment_ms]
        return live[-1] if live and not workflow.undeployed else None

    def rename_workflow(self, workflow_id: str, name: str) -> None:
        """Renames a workflow; all its rows show the new name, including old ones."""
        self._touch_workflow(workflow_id, name=name, updated_ms=self.now_ms)

    def archive_workflow(self, workflow_id: str) -> None:
        """Archives a workflow: lists omit it and its detail is 404; its runs keep its id and name."""
        self._touch_workflow(workflow_id, archived=True)

    def delete_workflow(self, workflow_id: str) -> None:
        """Hard-deletes a workflow: its rows get workflowId null and `Deleted Workflow`; no filter finds them."""
        self._touch_workflow(workflow_id, deleted=True)

    def _touch_workflow(self, workflow_id: str, **fields: object) -> None:
        with self.lock:
            workflow = self.workflows[workflow_id]
            for name, value in fields.items():
                setattr(workflow, name, value)
            workflow.revision += 1
            self.revision += 1
