# SPDX-License-Identifier: Apache-2.0
"""What the reference says of itself over HTTP and as messages, to be compared with what gnatwren says.  README.md tells how."""
