# SPDX-License-Identifier: Apache-2.0
"""Real clients talk to the server under test; see README.md."""
