import sys

from tellback.cli import main

sys.exit(main())
