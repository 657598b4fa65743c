#!/bin/bash -eu
# What the image runs; everything is in fuzz/build.sh.
exec bash "$SRC/tcpassay/fuzz/build.sh"
