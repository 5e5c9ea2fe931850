"""`python -m crossborder.sandbox`."""

from crossborder.sandbox.command import main

raise SystemExit(main())
