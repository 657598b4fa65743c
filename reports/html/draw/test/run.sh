#!/bin/sh
# Runs the drawings' unit tests with node's own test runner; 77 (skipped) where there is no node that has one.
node --test --help >/dev/null 2>&1 || { echo "no node that can run tests"; exit 77; }
exec node --test "$(dirname "$0")/drawings.test.mjs"
