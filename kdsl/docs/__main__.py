"""`python -m kdsl.docs`: writes the generated pages of a checkout anew, and says which ones changed."""

from __future__ import annotations

import sys

from kdsl.docs.pages import FOLDER, PAGES, stale


def main() -> int:
    if not FOLDER.is_dir():
        print(f"there is no folder {FOLDER}: the pages belong to a checkout of kdsl", file=sys.stderr)
        return 2
    changed = stale()
    for name in changed:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8", newline="\n")
        print(f"wrote {FOLDER / name}")
    print(f"{len(changed)} of {len(PAGES)} pages changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
