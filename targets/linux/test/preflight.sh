#!/bin/sh
# What `tcpassay targets linux` says where something is missing: each time what, and how to mend it, and exit status 3.
# shellcheck disable=SC2016,SC2154  # scripts for other shells, variables of lib.sh
# shellcheck source=engine/cli/test/lib.sh
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"

if ! "$tcpassay" targets linux >/dev/null 2>&1 || ! unshare -U -r -m true 2>/dev/null || [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
    echo "skipped: this test takes things away from a machine where the target works, as root, with user and mount namespaces and setpriv"
    exit 77
fi
no_privilege='setpriv --bounding-set=-all --inh-caps=-all --securebits=+noroot,+no_setuid_fixup'

wants 3 '/dev/net/tun is missing: load the module' 'no device' unshare -m sh -c 'mount -t tmpfs none /dev/net && exec "$0" targets linux' "$tcpassay"
wants 3 '/dev/net/tun may not be opened' 'a device for root only' unshare -m sh -c 'mount -t tmpfs none /dev/net && mknod -m 0600 /dev/net/tun c 10 200 &&
    mount -t tmpfs -o mode=0755 none /mnt && cp "$0" /mnt/program && exec setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/program targets linux' "$tcpassay"
wants 3 'user.max_user_namespaces is 0: run as root, or raise it' 'no user namespaces' unshare -U -r sh -c \
    "echo 0 >/proc/sys/user/max_user_namespaces && exec $no_privilege \"\$0\" targets linux" "$tcpassay"
wants 3 'user.max_net_namespaces is reached' 'no network namespaces' unshare -U -r sh -c \
    'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" targets linux' "$tcpassay"
wants 3 'tcp_invalid_ratelimit cannot be set.*make /proc/sys writable' 'settings that cannot be made' unshare -m sh -c \
    'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$0" targets linux' "$tcpassay"
wants 0 'linux +ready' 'a container with the network of the machine' unshare -U -r -m "$tcpassay" targets linux
wants 3 'cannot be made' 'serve says the same' unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" serve -- true' "$tcpassay"
finish
