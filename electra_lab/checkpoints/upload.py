"""To the hub: what ``save_pretrained`` writes becomes one commit of a repository."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

MAIN = "main"  # what the hub calls every repository's main branch


class PushToHub:
    """What can be saved in a folder can be pushed to the hub."""

    @abstractmethod
    def save_pretrained(self, folder: str | Path, /) -> None:
        """Write the files that are to be pushed."""

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        revision: str | None = None,
        create_pr: bool = False,
    ) -> CommitInfo:
        """Save to a repository on the hub, from where ``from_pretrained(repo_id)`` loads again.

        The repository is made if there is none. Files of these names are replaced, all in one commit;
        others stay.

        Args:
            repo_id: ``owner/name``; a name alone is one of your own repositories.
            commit_message: what the commit says; by default what is uploaded.
            private: whether a new repository is private; None: what the owner has set. A repository
                that exists stays as it is.
            token: access token with the right to write; None takes the one that ``hf auth login``
                stored or ``HF_TOKEN`` holds.
            revision: branch to commit to, made if there is none; the main branch by default.
            create_pr: open a pull request to the main branch instead of changing it.

        Returns:
            The commit: a string, its address, with ``oid`` and ``pr_url`` among its attributes.

        Raises:
            ValueError: ``repo_id`` cannot be a repository's name, or ``create_pr`` comes with another
                ``revision`` than main.
            PermissionError: the token is missing or not valid, or may not write there.
            OSError: the hub could not be reached, or the upload broke off; nothing was committed.
        """
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return upload(
                Path(folder),
                repo_id,
                commit_message or f"Upload {type(self).__name__}",
                private=private,
                token=token,
                revision=revision,
                create_pr=create_pr,
            )


def upload(
    folder: Path,
    repo_id: str,
    commit_message: str,
    *,
    private: bool | None = None,
    token: str | bool | None = None,
    revision: str | None = None,
    create_pr: bool = False,
) -> CommitInfo:
    """Make a folder's files a commit of a repository on the hub; see ``PushToHub.push_to_hub``."""
    from huggingface_hub import HfApi

    # asked here, since the client finds it out only after the repository and the branch were made
    if create_pr and revision not in (None, MAIN):
        raise ValueError(
            f"create_pr=True proposes a change to the main branch, but revision is {revision!r}. Give "
            "one of the two."
        )
    hub = HfApi(token=token)
    with _plain_errors(repo_id):
        repo_id = hub.create_repo(repo_id, private=private, exist_ok=True).repo_id
        # main is always there, and who may only propose may not ask for it
        if revision not in (None, MAIN) and not revision.startswith("refs/"):
            hub.create_branch(repo_id, branch=revision, exist_ok=True)
        return hub.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            commit_message=commit_message,
            revision=revision,
            create_pr=create_pr,
        )


@contextmanager
def _plain_errors(repo_id: str) -> Iterator[None]:
    """Say what is to be done when the hub refuses.

    Raises:
        ValueError, PermissionError, OSError: see ``PushToHub.push_to_hub``.
    """
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise ValueError(
            f"{repo_id!r} cannot be the name of a repository: {error} Give one of the form owner/name."
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise OSError(
            f"Nothing was pushed to {repo_id}: the network is switched off (HF_HUB_OFFLINE). Save with "
            "save_pretrained(folder) and push once it is on."
        ) from error
    except Exception as error:  # the HTTP client's own errors differ between hub versions
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status == 401 or isinstance(error, errors.LocalTokenNotFoundError):
            raise PermissionError(
                f"The hub does not know who pushes to {repo_id}: the access token is missing or not "
                "valid (401). Make one with the right to write in your settings on the hub, then run "
                "hf auth login once, or set HF_TOKEN, or pass token=..."
            ) from error
        if status == 403:
            raise PermissionError(
                f"The access token may not write to {repo_id} (403). Check the owner's name, and that "
                "the token has the right to write there; create_pr=True proposes the change to "
                "somebody else's repository."
            ) from error
        raise OSError(
            f"The upload to {repo_id} failed, and nothing was committed: {error}. What the repository "
            "held is whole; try again."
        ) from error
