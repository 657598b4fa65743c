#!/usr/bin/env python3
"""Makes captures of ordinary TCP between Linux kernels: what `tcpassay check` has to pass without a finding.

    make-captures.py [--out FOLDER] [--only REGEX] [--version 4|6] [--seed N] [--kept FOLDER] [--tcpassay PROGRAM] [--list]

Needs root, ip, tc, tcpdump, ethtool and a C compiler; iperf3, curl and editcap for the cases that use them. Each case gets hosts of its
own: a client, a server, and between them nothing ("direct"), a router ("router"), or a wire that loses, doubles, delays and reorders to
order ("wire", make-captures-wire.c). Hosts are network namespaces without a name, held by a process each; every process is
started so that the kernel kills it with this one, and the namespaces go with their last process: nothing stays behind,
whichever way this ends.

Each case is captured at the client, at the server, in the middle, and on `any` (Linux cooked, version 1 at the client, 2 at the server),
over IPv4 and over IPv6. Files are called CASE-VERSION-POINT.pcap. --kept copies what the repository keeps (the `keep` of each case).
With --seed the same cases are played under another weather: other decisions of the wire, its rates of loss, doubling and reordering, its
delays, and the amounts of bulk data drawn anew around what the case says.
With --tcpassay there are captures of the reference stack and this kernel too, made by `tcpassay serve`. Last come forms: captures made from
others, in other file formats, cut, begun late, or joined.
"""
import argparse, contextlib, ctypes, errno, os, random, re, select, shutil, signal, socket, struct, subprocess, sys, tempfile, time, traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER_PORT = 8080
OCTETS = random.Random(9293).randbytes(1 << 20)  # what is sent: no two places alike, the same in every run
libc = ctypes.CDLL(None, use_errno=True)

# ---- hosts and processes -----------------------------------------------------------------------------------------


def with_us(command):
    """A command that the kernel kills when this process ends."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


class Host:
    """A network namespace, held by a process that sleeps."""

    def __init__(self, name):
        self.name = name
        self.holder = subprocess.Popen(with_us(["unshare", "--net", "sleep", "900"]))
        self.pid = self.holder.pid
        ours = os.readlink("/proc/self/ns/net")
        while True:  # until unshare has happened
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{self.pid}/ns/net") != ours:
                    break
            if self.holder.poll() is not None:
                raise RuntimeError("no network namespace: run this as root")
            time.sleep(0.002)
        self.fd = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        self.run("ip", "link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.accept_dad", 0)
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)
        self.sysctl("net.ipv6.conf.default.router_solicitations", 0)

    def inside(self, command):
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command]

    def run(self, *command):
        subprocess.run(self.inside(list(command)), check=True, stdout=subprocess.DEVNULL)

    def start(self, *command, **more):
        return subprocess.Popen(with_us(self.inside(list(command))), **more)

    def sysctl(self, name, value):
        def write():
            with open("/proc/sys/" + name.replace(".", "/"), "w") as f:
                f.write(str(value))
        self.here(write)

    def here(self, what):
        """Calls what() inside this namespace, and comes back."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            if libc.setns(self.fd, 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            return what()
        finally:
            libc.setns(back, 0x40000000)
            os.close(back)

    def close(self):
        os.close(self.fd)
        self.holder.kill()
        self.holder.wait()


class Tap:
    """One tcpdump."""

    def __init__(self, host, device, path, *options):
        self.process = host.start("tcpdump", "-n", "-U", "-Z", "root", "-B", "8192", "--immediate-mode", "-i", device, "-w", path, *options,
                                  stderr=subprocess.PIPE, text=True)

    def wait_ready(self):
        while True:
            line = self.process.stderr.readline()
            if "listening on" in line:
                return
            if line == "":
                raise RuntimeError("tcpdump did not start")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.stderr.read()
        self.process.wait()


# ---- a network -----------------------------------------------------------------------------------------------------

ADDRESSES = {  # client, server, and the router's two
    "wire": {4: ("192.0.2.1/24", "192.0.2.2/24"), 6: ("2001:db8::1/64", "2001:db8::2/64")},
    "direct": {4: ("192.0.2.1/24", "192.0.2.2/24"), 6: ("2001:db8::1/64", "2001:db8::2/64")},
    "router": {4: ("192.0.2.1/24", "198.51.100.1/24", "192.0.2.254/24", "198.51.100.254/24"),
               6: ("2001:db8:0:1::1/64", "2001:db8:0:2::1/64", "2001:db8:0:1::fe/64", "2001:db8:0:2::fe/64")},
}


class Unable(RuntimeError):
    """The machine cannot play this case."""


class Net:
    """What a case plays on: hosts, their links, and the means to open connections between them."""

    def __init__(self, case, version, wire_program, seed=0):
        self.case, self.version = case, version
        self.dice = random.Random(f"{seed} {case.name} {version}") if seed else None
        self.family = socket.AF_INET if version == 4 else socket.AF_INET6
        self.sockets, self.processes, self.hosts = [], [], []
        self.client, self.server = self.host("client"), self.host("server")
        self.middle = None if case.topology == "direct" else self.host("middle")
        at = ADDRESSES[case.topology]
        if case.topology == "direct":
            self.link(self.client, "eth0", self.server, "eth0")
        else:
            self.link(self.client, "eth0", self.middle, "near")
            self.link(self.server, "eth0", self.middle, "far")
        for v in case.versions:
            self.address(self.client, "eth0", at[v][0])
            self.address(self.server, "eth0", at[v][1])
        if case.topology == "router":
            self.route(at)
        self.client_address, self.server_address = at[version][0].split("/")[0], at[version][1].split("/")[0]
        for name, value in case.sysctl.items():
            for host in (self.client, self.server):
                if name.split(":")[0] in (host.name, name) and not name.startswith("socket:"):
                    self.set(host, name.split(":")[-1], value)
        if case.topology == "wire":
            self.processes.append(self.middle.start(wire_program, "near", "far", f"seed={version + 10 * seed}", *map(self.weather, case.wire), stdout=subprocess.PIPE))
            assert self.processes[-1].stdout.readline() == b"ready\n"

    def scaled(self, number, low, high):
        """The number, or with --seed one drawn around it."""
        return round(number * self.dice.uniform(low, high)) if self.dice else number

    def weather(self, setting):
        """A setting of the wire."""
        name, value = setting.split("=")
        what = name.split(":")[-1]
        if what in ("loss", "dup", "reorder", "ce") and int(value) < 1000:
            return f"{name}={min(self.scaled(int(value), 0.4, 2.2), 300)}"
        if what in ("delay_us", "jitter_us", "held_us", "kbit"):
            return f"{name}={self.scaled(int(value), 0.4, 2.5)}"
        return setting

    @staticmethod
    def set(host, name, value):
        try:
            host.sysctl(name, value)
        except OSError as problem:
            raise Unable(f"this kernel does not take {name} = {value}: {problem.strerror}") from problem

    def host(self, name):
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def link(self, a, a_device, b, b_device):
        a.run("ip", "link", "add", a_device, "type", "veth", "peer", "name", b_device, "netns", str(b.pid))
        for host, device in ((a, a_device), (b, b_device)):
            if not self.case.offload:
                host.run("ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off", "tx", "off")
            host.run("ip", "link", "set", device, "mtu", str(self.case.mtu), "up")

    def address(self, host, device, address):
        host.run("ip", "address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def route(self, at):
        for v in self.case.versions:
            self.address(self.middle, "near", at[v][2])
            self.address(self.middle, "far", at[v][3])
            self.client.run("ip", f"-{v}", "route", "add", "default", "via", at[v][2].split("/")[0])
            self.server.run("ip", f"-{v}", "route", "add", "default", "via", at[v][3].split("/")[0])
        self.middle.sysctl("net.ipv4.ip_forward", 1)
        self.middle.sysctl("net.ipv6.conf.all.forwarding", 1)

    def narrow(self, mtu):
        """The link behind the router carries no more than this, and the server's MSS does not tell."""
        self.middle.run("ip", "link", "set", "far", "mtu", str(mtu))
        self.server.run("ip", "link", "set", "eth0", "mtu", str(mtu))
        router = ADDRESSES["router"][self.version][3].split("/")[0]
        self.server.run("ip", f"-{self.version}", "route", "change", "default", "via", router, "advmss", "1440")

    # -- sockets

    def socket(self, host, *options, protocol=0):
        """options: (level, name, value) each. SO_REUSEADDR is always on."""
        s = host.here(lambda: socket.socket(self.family, socket.SOCK_STREAM, protocol))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            s.setsockopt(*option)
        if "socket:congestion" in self.case.sysctl:  # a namespace may not choose this by sysctl, root may by socket
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self.case.sysctl["socket:congestion"].encode())
        s.settimeout(15)
        self.sockets.append(s)
        return s

    def listen(self, *options, port=SERVER_PORT, backlog=512, protocol=0):
        s = self.socket(self.server, *options, protocol=protocol)
        s.bind((self.server_address, port))
        s.listen(backlog)
        return s

    def connect(self, *options, port=SERVER_PORT, from_port=0, protocol=0):
        s = self.socket(self.client, *options, protocol=protocol)
        if from_port:
            s.bind((self.client_address, from_port))
        s.connect((self.server_address, port))
        return s

    def begin_connect(self, *options, port=SERVER_PORT, from_port=0, host=None, to=None):
        """connect() that does not wait."""
        host = host or self.client
        s = self.socket(host, *options)
        s.setblocking(False)
        if from_port:
            s.bind((self.client_address if host is self.client else self.server_address, from_port))
        s.connect_ex((to or self.server_address, port))
        return s

    def pair(self, *client_options, server_options=(), from_port=0):
        """A connection: both of its ends. The listener stays."""
        listener = self.listen(*server_options)
        c = self.connect(*client_options, from_port=from_port)
        return c, self.accept(listener)

    def accept(self, listener):
        s, _ = listener.accept()
        s.settimeout(15)
        self.sockets.append(s)
        return s

    def close(self):
        for s in self.sockets:
            with contextlib.suppress(OSError):
                s.close()
        for p in self.processes:
            p.terminate()
            p.wait()
        for host in self.hosts:
            host.close()


def flow(*flows, seconds=20, chunk=16384):
    """Sends octets through several connections at once: (from, to, amount) each, until all have arrived."""
    left = {f.fileno(): [f, amount, 0] for f, _, amount in flows}
    awaited = {t.fileno(): [t, amount] for _, t, amount in flows}
    for s in {s for f, t, _ in flows for s in (f, t)}:
        s.setblocking(False)
    end = time.monotonic() + seconds
    while awaited and time.monotonic() < end:
        readable, writable, _ = select.select(list(awaited), list(left), [], 0.5)
        for fd in writable:
            s, amount, at = left[fd]
            with contextlib.suppress(BlockingIOError):
                left[fd][2] += s.send(OCTETS[at % 65536:at % 65536 + min(amount - at, chunk)])
            if left[fd][2] == amount:
                del left[fd]
        for fd in readable:
            with contextlib.suppress(BlockingIOError):
                got = len(awaited[fd][0].recv(65536))
                awaited[fd][1] -= got
                if awaited[fd][1] <= 0 or got == 0:
                    del awaited[fd]
    for s in {s for f, t, _ in flows for s in (f, t)}:
        s.settimeout(15)


def drain(s, amount=None):
    """Reads to the end, or this much. Gives how much came."""
    total = 0
    with contextlib.suppress(OSError):
        while amount is None or total < amount:
            got = len(s.recv(65536))
            if got == 0:
                break
            total += got
    return total


def farewell(first, second):
    """An orderly close, first's FIN first."""
    first.shutdown(socket.SHUT_WR)
    drain(second)
    second.close()
    drain(first)
    first.close()


def bulk(n, amount=40000, back=0, **options):
    c, s = n.pair(**options)
    flow((c, s, n.scaled(amount, 0.2, 2.5)), *([(s, c, n.scaled(back, 0.2, 2.5))] if back else []))
    farewell(c, s)


def requests(n, count=6, question=120, answer=3000):
    c, s = n.pair((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
    for i in range(count):
        c.sendall(OCTETS[i:i + question])
        drain(s, question)
        s.sendall(OCTETS[i:i + answer])
        drain(c, answer)
    farewell(c, s)


def pause(seconds):
    time.sleep(seconds)


LINGER_0 = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

# ---- the cases -----------------------------------------------------------------------------------------------------


class Case:
    def __init__(self, play, says, topology, wire, sysctl, offload, mtu, keep, versions):
        self.name = play.__name__.replace("_", "-")
        self.play, self.says, self.topology, self.wire = play, says, topology, wire
        self.sysctl, self.offload, self.mtu, self.keep, self.versions = sysctl, offload, mtu, keep, versions


CASES = []


def case(says, topology="wire", wire=(), sysctl=None, offload=False, mtu=1500, keep=(), versions=(4, 6)):
    """keep: the files of this case that the repository keeps: "4-client" and the like."""
    def add(play):
        CASES.append(Case(play, says, topology, wire, sysctl or {}, offload, mtu, keep, versions))
        return play
    return add


def variants(base, table):
    """The same play under several settings: (name, says, settings) each."""
    for name, says, settings in table:
        def play(n, base=base):
            base(n)
        play.__name__ = name
        case(says, **settings)(play)


def tcp(**values):
    return {f"net.ipv4.tcp_{name}": value for name, value in values.items()}


# -- bulk under all kinds of weather

variants(lambda n: bulk(n, 40000), [
    ("bulk_clean", "40 kB over a clean wire", dict(keep=("4-client",))),
    ("bulk_delay", "40 kB over 20 ms each way", dict(wire=("delay_us=20000",), keep=("6-server",))),
    ("bulk_reno", "40 kB with Reno, 2 % loss", dict(wire=("loss=20", "delay_us=3000"), sysctl={"socket:congestion": "reno"})),
    ("bulk_loss_ack", "40 kB, a fifth of the ACKs lost", dict(wire=("ba:loss=200", "delay_us=2000"), keep=("4-client",))),
    ("bulk_jumbo", "40 kB at an MTU of 9000", dict(mtu=9000, keep=("6-client",))),
    ("bulk_tiny_mtu", "40 kB at an MTU of 1280", dict(mtu=1280)),
    ("bulk_mtu_576", "40 kB at an MTU of 576", dict(mtu=576, versions=(4,))),
    ("bulk_mss_clamped", "40 kB, the MSS lowered to 536 on the way", dict(wire=("mss=536",), keep=("4-near",))),
    ("bulk_no_timestamps", "40 kB, neither side offers timestamps", dict(sysctl=tcp(timestamps=0), wire=("loss=20",), keep=("4-far",))),
    ("bulk_no_sack", "40 kB with 5 % loss, neither side offers SACK", dict(sysctl=tcp(sack=0), wire=("ab:loss=50", "delay_us=2000"),
                                                                           keep=("4-server",))),
    ("bulk_no_scaling", "40 kB, neither side offers window scaling", dict(sysctl=tcp(window_scaling=0), keep=("6-client",))),
    ("bulk_plain", "40 kB, no options but MSS, 3 % loss", dict(sysctl=tcp(window_scaling=0, timestamps=0, sack=0), wire=("loss=30",),
                                                              keep=("4-client",))),
    ("bulk_client_plain", "40 kB, the client offers no options but MSS", dict(
        sysctl={"client:net.ipv4.tcp_timestamps": 0, "client:net.ipv4.tcp_sack": 0, "client:net.ipv4.tcp_window_scaling": 0})),
    ("bulk_server_plain", "40 kB, the server takes no options but MSS", dict(
        sysctl={"server:net.ipv4.tcp_timestamps": 0, "server:net.ipv4.tcp_sack": 0, "server:net.ipv4.tcp_window_scaling": 0},
        keep=("4-client",))),
    ("bulk_no_dsack", "40 kB doubled, no D-SACK", dict(sysctl=tcp(dsack=0), wire=("dup=200",))),
    ("bulk_all_doubled", "40 kB, every frame comes twice", dict(wire=("dup=1000",), keep=("4-server",))),
    ("bulk_timestamps_random_off", "40 kB, timestamps without an offset", dict(sysctl=tcp(timestamps=2))),
    ("bulk_lost_fin", "40 kB, then the end of the connection under heavy loss", dict(wire=("loss=250", "delay_us=1000"))),
    ("bulk_recovery_off", "40 kB with loss, no RACK, no tail loss probe", dict(wire=("loss=50", "delay_us=2000"),
                                                                              sysctl=tcp(recovery=0, early_retrans=0))),
    ("bulk_shrinking", "40 kB to a receiver that may shrink its window", dict(sysctl=tcp(shrink_window=1))),
])
variants(lambda n: bulk(n, 120000, 60000), [
    (f"both_ways_loss_{loss}", f"120 kB there and 60 kB back, {loss / 10} % loss", dict(
        wire=(f"loss={loss}", "delay_us=2000"), sysctl={"socket:congestion": cc}))
    for loss, cc in ((1, "cubic"), (10, "bbr"), (30, "cubic"), (100, "reno"))
] + [
    ("both_ways_reorder", "120 kB there and 60 kB back, a tenth held back", dict(wire=("reorder=100", "delay_us=1000"))),
    ("both_ways_reorder_much", "120 kB there and 60 kB back, 40 % held back by 5 ms", dict(wire=("reorder=400", "held_us=5000"))),
    ("both_ways_duplicates", "120 kB there and 60 kB back, a tenth doubled", dict(wire=("dup=100", "delay_us=500"))),
    ("both_ways_weather", "120 kB there and 60 kB back: loss, reordering, duplicates and jitter at once", dict(
        wire=("loss=20", "dup=50", "reorder=100", "delay_us=3000", "jitter_us=4000"))),
    ("both_ways_rate", "120 kB there and 60 kB back at 2 Mbit/s behind a queue of 10", dict(wire=("kbit=2000", "queue=10", "delay_us=5000"))),
    ("both_ways_cubic", "120 kB there and 60 kB back, Cubic", dict(wire=("delay_us=5000",), sysctl={"socket:congestion": "cubic"})),
])
variants(lambda n: bulk(n, 30000, 10000), [
    ("small_loss", "30 kB there and 10 kB back, 5 % loss", dict(wire=("loss=50", "delay_us=2000"), keep=("4-client", "6-server"))),
    ("small_loss_10", "30 kB there and 10 kB back, 10 % loss", dict(wire=("loss=100", "delay_us=2000"), keep=("4-server", "6-near"))),
    ("small_reorder", "30 kB there and 10 kB back, 30 % held back by 3 ms", dict(wire=("reorder=300", "held_us=3000"),
                                                                                keep=("4-server", "6-client"))),
    ("small_duplicates", "30 kB there and 10 kB back, 20 % doubled", dict(wire=("dup=200",), keep=("4-client",))),
    ("small_weather", "30 kB there and 10 kB back: loss, reordering, duplicates and jitter at once", dict(
        wire=("loss=30", "dup=50", "reorder=150", "delay_us=3000", "jitter_us=4000"), keep=("4-near", "6-far"))),
    ("small_rate", "30 kB there and 10 kB back at 1 Mbit/s behind a queue of 5", dict(wire=("kbit=1000", "queue=5", "delay_us=5000"),
                                                                                     keep=("4-far",))),
    ("small_old_duplicates", "30 kB there and 10 kB back, some doubles 300 ms late", dict(
        wire=("dup=300", "reorder=100", "held_us=300000"), keep=("4-server",))),
    ("small_ecn", "30 kB there and 10 kB back with ECN, a tenth marked", dict(wire=("ce=100",), sysctl=tcp(ecn=1), keep=("4-server",))),
    ("small_accecn", "30 kB there and 10 kB back with Accurate ECN, a tenth marked", dict(wire=("ce=100",), sysctl=tcp(ecn=3))),
    ("small_ecn_loss", "30 kB there and 10 kB back with ECN, marks and loss", dict(
        wire=("ce=100", "loss=50", "delay_us=2000"), sysctl={"net.ipv4.tcp_ecn": 1, "socket:congestion": "reno"}, keep=("4-client",))),
    ("small_ecn_refused", "30 kB there and 10 kB back, ECN offered and not taken", dict(
        sysctl={"client:net.ipv4.tcp_ecn": 1, "server:net.ipv4.tcp_ecn": 0})),
    ("small_accecn_to_ecn", "30 kB there and 10 kB back, Accurate ECN offered, classic ECN taken", dict(
        sysctl={"client:net.ipv4.tcp_ecn": 3, "server:net.ipv4.tcp_ecn": 1}, wire=("ce=50",))),
    ("small_cookies", "30 kB there and 10 kB back, opened with a SYN cookie", dict(sysctl=tcp(syncookies=2), keep=("4-client",))),
    ("small_cookies_plain", "30 kB there and 10 kB back, opened with a SYN cookie and no timestamps", dict(
        sysctl=tcp(syncookies=2, timestamps=0))),
    ("small_cookies_loss", "30 kB there and 10 kB back, SYN cookies and loss", dict(sysctl=tcp(syncookies=2), wire=("loss=100",))),
])
variants(lambda n: bulk(n, 200000), [
    ("probing_black_hole", "200 kB through a black hole for packets over 1200 octets, with MTU probing", dict(
        wire=("hole=1200", "delay_us=1000"), sysctl=tcp(mtu_probing=1), keep=())),
    ("probing_always", "200 kB with MTU probing from 1024 up", dict(sysctl=tcp(mtu_probing=2), wire=("delay_us=1000",))),
])

# -- with segmentation offload: packets larger than the MTU, checksums not filled in

variants(lambda n: bulk(n, 60000, 20000), [
    ("offload_direct", "60 kB there and 20 kB back, segmentation and checksum offload", dict(topology="direct", offload=True,
                                                                                           keep=("4-client",))),
    ("offload_router", "60 kB there and 20 kB back through a router, offload everywhere", dict(topology="router", offload=True,
                                                                                              keep=("6-near",))),
    ("offload_jumbo", "60 kB there and 20 kB back, offload and an MTU of 9000", dict(topology="direct", offload=True, mtu=9000)),
    ("offload_none_direct", "60 kB there and 20 kB back, no offload", dict(topology="direct")),
])


@case("iperf3, 4 MB over a link with offload", topology="direct", offload=True)
def iperf3_offload(n):
    iperf3(n, "-n", "4M")


@case("iperf3, 600 kB both ways at 20 Mbit/s", wire=("kbit=20000", "delay_us=3000", "queue=50"))
def iperf3_both_ways(n):
    iperf3(n, "-n", "600K", "--bidir")


@case("iperf3 with four streams and 1 % loss", wire=("loss=10", "delay_us=2000", "kbit=50000"))
def iperf3_parallel(n):
    iperf3(n, "-n", "1M", "-P", "4")


@case("iperf3 backwards", wire=("delay_us=1000", "kbit=50000"))
def iperf3_reverse(n):
    iperf3(n, "-n", "1M", "-R")


def iperf3(n, *options):
    server = n.server.start("iperf3", "-s", "-1", "--forceflush", "-p", str(SERVER_PORT), stdout=subprocess.PIPE, text=True)
    n.processes.append(server)
    for line in server.stdout:
        if "listening" in line:
            break
    else:
        raise RuntimeError("iperf3 did not start")
    subprocess.run(n.client.inside(["iperf3", "-c", n.server_address, "-p", str(SERVER_PORT), *options]), stdout=subprocess.DEVNULL, timeout=60)


@case("curl fetches three pages from a Python web server", keep=("4-client",))
def http_curl(n):
    with tempfile.TemporaryDirectory() as root:
        for name, amount in (("a", 300), ("b", 9000), ("c", 20000)):
            with open(os.path.join(root, name), "wb") as f:
                f.write(OCTETS[:amount])
        server = n.server.start(sys.executable, "-u", "-m", "http.server", str(SERVER_PORT), "--bind", n.server_address, "-d", root,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        n.processes.append(server)
        server.stdout.readline()
        at = f"[{n.server_address}]" if n.version == 6 else n.server_address
        for name in "abcd":
            subprocess.run(n.client.inside(["curl", "-s", "-o", "/dev/null", f"http://{at}:{SERVER_PORT}/{name}"]), timeout=20)


# -- question and answer

variants(lambda n: requests(n), [
    ("requests_clean", "six questions of 120 octets, answers of 3000", dict(wire=("delay_us=1000",), keep=("4-client", "6-any2"))),
    ("requests_loss", "six questions and answers, 10 % loss", dict(wire=("loss=100", "delay_us=1000"), keep=("4-far",))),
    ("requests_jitter", "six questions and answers, 1 to 20 ms", dict(wire=("delay_us=1000", "jitter_us=19000"))),
    ("requests_weather", "six questions and answers: loss, reordering, duplicates", dict(
        wire=("loss=50", "dup=100", "reorder=200", "held_us=10000", "delay_us=1000"), keep=("6-server",))),
])


@case("sixty writes of a few octets without Nagle", wire=("delay_us=500",), keep=("4-client",))
def tiny_writes(n):
    c, s = n.pair(NODELAY)
    for i in range(60):
        c.send(OCTETS[i:i + 1 + i % 7])
        if i % 5 == 0:
            pause(0.002)
    farewell(c, s)


@case("sixty writes of a few octets with Nagle", wire=("delay_us=5000",), keep=("6-server",))
def tiny_writes_nagle(n):
    c, s = n.pair()
    for i in range(60):
        c.send(OCTETS[i:i + 1 + i % 7])
        pause(0.001)
    farewell(c, s)


@case("writes held back by a cork", keep=())
def tiny_writes_cork(n):
    c, s = n.pair()
    for _ in range(4):
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for i in range(10):
            c.send(OCTETS[:300])
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        pause(0.01)
    farewell(c, s)


@case("urgent octets between others", wire=("delay_us=1000",), keep=("4-client",))
def urgent(n):
    c, s = n.pair(NODELAY)
    for i in range(4):
        c.send(OCTETS[:500])
        c.send(b"!", socket.MSG_OOB)
        c.send(OCTETS[500:900])
        pause(0.005)
        with contextlib.suppress(OSError):
            s.recv(1, socket.MSG_OOB)
        drain(s, 500)
    farewell(c, s)


@case("urgent octets, the pointer as RFC 1122 has it, in line", sysctl=tcp(stdurg=1), wire=("loss=50",))
def urgent_standard(n):
    c, s = n.pair(NODELAY)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    for i in range(4):
        c.send(OCTETS[:500] + b"!", socket.MSG_OOB)
        c.send(OCTETS[500:900])
        pause(0.005)
    farewell(c, s)


@case("sendfile and splice", keep=())
def sendfile(n):
    c, s = n.pair()
    with tempfile.TemporaryFile() as f:
        f.write(OCTETS[:30000])
        f.flush()
        f.seek(0)
        c.setblocking(True)
        os.sendfile(c.fileno(), f.fileno(), 0, 30000)
    drain(s, 30000)
    r, w = os.pipe()
    os.write(w, OCTETS[:5000])
    os.splice(r, c.fileno(), 5000)
    os.close(r)
    os.close(w)
    farewell(c, s)


@case("a connection that waits in silence between bursts, longer than its retransmission timeout", wire=("delay_us=2000",), keep=("4-server",))
def bursts(n):
    c, s = n.pair()
    for _ in range(3):
        flow((c, s, 8000))
        pause(0.7)
    farewell(c, s)


# -- windows


@case("a reader that sleeps until the window is closed, and longer", wire=("delay_us=1000",), keep=("4-client", "6-server"))
def zero_window(n):
    c, s = n.pair(server_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    c.setblocking(False)
    sent = 0
    end = time.monotonic() + 1.6
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            sent += c.send(OCTETS[sent % 65536:sent % 65536 + 2000])
            if sent > 20000:
                pause(1.6)
        pause(0.02)
    c.settimeout(15)
    drain(s, sent)
    farewell(c, s)


@case("a closed window opened a little, again and again", wire=("delay_us=1000",), keep=("4-server",))
def zero_window_trickle(n):
    c, s = n.pair(server_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 3000)])
    c.setblocking(False)
    sent = 0
    for _ in range(100):
        with contextlib.suppress(BlockingIOError):
            sent += c.send(OCTETS[:700])
        if sent >= 16000:
            break
    got = 0
    while got < sent:
        pause(0.05)
        got += len(s.recv(400))
    c.settimeout(15)
    farewell(c, s)


@case("a closed window, probes lost", wire=("delay_us=1000", "loss=300"), keep=("4-client",))
def zero_window_loss(n):
    zero_window(n)


@case("a sender that closes while the window is closed", wire=("delay_us=1000",), keep=("6-client",))
def zero_window_close(n):
    c, s = n.pair(server_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    c.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(20):
            c.send(OCTETS[:1000])
    c.shutdown(socket.SHUT_WR)
    pause(1.2)
    drain(s)
    s.close()
    c.settimeout(5)
    drain(c)


@case("a receiver that resets while its window is closed", wire=("delay_us=1000",), keep=("4-client",))
def zero_window_reset(n):
    c, s = n.pair(server_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    c.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(20):
            c.send(OCTETS[:1000])
    pause(0.6)
    s.close()
    pause(0.1)


@case("a sender that gives up while the window is closed", wire=("delay_us=1000",))
def zero_window_abort(n):
    c, s = n.pair(server_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    c.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(20):
            c.send(OCTETS[:1000])
    pause(0.6)
    c.setsockopt(*LINGER_0)
    c.close()
    pause(0.1)


@case("both windows closed at once", wire=("delay_us=1000",))
def zero_window_both(n):
    small = (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c, s = n.pair(small, server_options=[small])
    sent = {c: 0, s: 0}
    for x in (c, s):
        x.setblocking(False)
    for _ in range(30):
        for x in (c, s):
            with contextlib.suppress(BlockingIOError):
                sent[x] += x.send(OCTETS[:600])
    pause(1.0)
    for x in (c, s):
        x.settimeout(15)
    drain(s, sent[c])
    drain(c, sent[s])
    farewell(c, s)


@case("a receive buffer made smaller on the way", wire=("delay_us=500",), keep=("4-server",))
def smaller_buffer(n):
    c, s = n.pair()
    flow((c, s, 12000))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2500)
    flow((c, s, 24000))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 1500)
    flow((c, s, 6000))
    farewell(c, s)


@case("a receive buffer made smaller on the way, by a receiver that may shrink its window", wire=("delay_us=500",),
      sysctl=tcp(shrink_window=1))
def smaller_buffer_shrinking(n):
    smaller_buffer(n)


@case("a tiny receive buffer under loss and reordering", wire=("delay_us=500", "loss=50", "reorder=100"))
def small_buffer_weather(n):
    bulk(n, 40000, server_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4000)])


@case("300 kB over 25 ms each way: windows beyond 64 kB", wire=("delay_us=25000",))
def large_window(n):
    bulk(n, 600000)


@case("300 kB over 25 ms each way, no window scaling", wire=("delay_us=25000",), sysctl=tcp(window_scaling=0))
def large_window_unscaled(n):
    bulk(n, 300000)


# -- opening


@case("both sides open at the same moment", wire=("delay_us=60000",), keep=("4-client", "6-near"))
def simultaneous_open(n):
    a = n.begin_connect(from_port=4000, port=4001)
    b = n.begin_connect(host=n.server, from_port=4001, to=n.client_address, port=4000)
    pause(0.4)
    for x in (a, b):
        x.settimeout(5)
    a.sendall(OCTETS[:2000])
    drain(b, 2000)
    b.sendall(OCTETS[:3000])
    drain(a, 3000)
    farewell(a, b)


@case("both sides open at the same moment, and the wire loses a SYN-ACK", wire=("delay_us=60000", "ba:drop=2"), keep=("4-server",))
def simultaneous_open_loss(n):
    a = n.begin_connect(from_port=4000, port=4001)
    b = n.begin_connect(host=n.server, from_port=4001, to=n.client_address, port=4000)
    pause(2.0)
    for x in (a, b):
        x.settimeout(5)
    with contextlib.suppress(OSError):
        a.sendall(OCTETS[:2000])
        drain(b, 2000)
        farewell(a, b)


def lost_opening(n):
    c, s = n.pair()
    flow((c, s, 3000), (s, c, 3000))
    farewell(c, s)


variants(lost_opening, [
    ("lost_syn", "the SYN is lost", dict(wire=("ab:drop=1", "delay_us=1000"), keep=("4-client",))),
    ("lost_syn_twice", "two SYNs are lost", dict(wire=("ab:drop=1,2", "delay_us=1000"))),
    ("lost_syn_ack", "the SYN-ACK is lost", dict(wire=("ba:drop=1", "delay_us=1000"), keep=("4-client", "6-server"))),
    ("lost_handshake_ack", "the last ACK of the handshake is lost", dict(wire=("ab:drop=2", "delay_us=1000"), keep=("4-server",))),
    ("lost_handshake_acks", "the last ACK of the handshake is lost, and that of the SYN-ACK sent again", dict(
        wire=("ab:drop=2,3", "delay_us=1000"), keep=("4-client",))),
    ("lost_first_data", "the first data is lost", dict(wire=("ab:drop=3", "delay_us=1000"))),
    ("doubled_opening", "the handshake comes twice", dict(wire=("dup=1000", "reorder=500", "held_us=3000"))),
    ("late_opening", "the handshake takes longer than the initial timeout", dict(wire=("delay_us=700000",), keep=("4-client",))),
])


@case("nobody listens", keep=("4-client", "6-client"))
def refused(n):
    for port in (81, 82, 83):
        with contextlib.suppress(ConnectionRefusedError):
            n.connect(port=port)


@case("a host that never answers", wire=("ab:loss=1000",), keep=("4-client",))
def silent_host(n):
    s = n.begin_connect()
    pause(7.5)
    s.close()


@case("a server that cannot be reached: the router says so", topology="router", keep=("4-client", "6-client"))
def unreachable(n):
    for kind, last in (("unreachable", 9), ("prohibit", 10)):
        target = f"203.0.113.{last}" if n.version == 4 else f"2001:db8:0:9::{last}"
        n.middle.run("ip", f"-{n.version}", "route", "add", kind, target)
        s = n.begin_connect(to=target)
        pause(1.3)
        s.close()


@case("a listener with a backlog of one, and thirty who want in", sysctl=tcp(syncookies=0, max_syn_backlog=8), keep=("4-server",))
def backlog_of_one(n):
    listener = n.listen(backlog=1)
    waiting = [n.begin_connect() for _ in range(30)]
    pause(2.5)
    listener.settimeout(0.2)
    with contextlib.suppress(OSError):
        while True:
            n.accept(listener).close()
    pause(1.5)
    for s in waiting:
        s.close()


@case("a listener with a backlog of one, SYN cookies, and thirty who want in", sysctl=tcp(max_syn_backlog=8), keep=())
def backlog_of_one_cookies(n):
    backlog_of_one(n)


@case("a listener that resets when its backlog is full", sysctl=tcp(abort_on_overflow=1), keep=("4-client",))
def backlog_resets(n):
    listener = n.listen(backlog=1)
    waiting = [n.begin_connect() for _ in range(8)]
    pause(1.3)
    for s in waiting:
        s.close()
    listener.close()


@case("a listener that goes away with connections nobody accepted", wire=("delay_us=500",), keep=("4-client",))
def listener_gone(n):
    listener = n.listen()
    waiting = [n.connect() for _ in range(3)]
    waiting[0].send(OCTETS[:100])
    pause(0.05)
    listener.close()
    pause(0.05)
    for s in waiting:
        with contextlib.suppress(OSError):
            s.send(b"late")
    pause(0.05)


@case("a server that accepts only with data (TCP_DEFER_ACCEPT)", wire=("delay_us=500",), keep=("4-server",))
def deferred_accept(n):
    listener = n.listen((socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 2))
    c = n.connect()
    pause(1.6)
    c.sendall(OCTETS[:200])
    s = n.accept(listener)
    s.sendall(OCTETS[:200])
    drain(s, 200)
    farewell(c, s)


FAST_OPEN = {"net.ipv4.tcp_fastopen": 3}


def fast_open(n, amount=600):
    listener = n.listen((socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16))
    for _ in range(3):
        c = n.socket(n.client)
        c.settimeout(None)
        with contextlib.suppress(BlockingIOError):
            c.sendto(OCTETS[:amount], socket.MSG_FASTOPEN, (n.server_address, SERVER_PORT))
        s = n.accept(listener)
        drain(s, amount)
        s.sendall(OCTETS[:1500])
        drain(c, 1500)
        farewell(c, s)


variants(fast_open, [
    ("fast_open_cookie", "fast open: a cookie asked for, then used twice", dict(sysctl=FAST_OPEN, wire=("delay_us=1000",),
                                                                               keep=("4-client", "6-server"))),
    ("fast_open_loss", "fast open with loss", dict(sysctl=FAST_OPEN, wire=("delay_us=1000", "loss=150"), keep=("4-server",))),
    ("fast_open_refused", "fast open asked for, a server without it", dict(
        sysctl={"client:net.ipv4.tcp_fastopen": 1, "server:net.ipv4.tcp_fastopen": 0}, wire=("delay_us=1000",), keep=("4-client",))),
    ("fast_open_no_cookie", "fast open without a cookie", dict(sysctl={"net.ipv4.tcp_fastopen": 0x207}, wire=("delay_us=1000",),
                                                              keep=("4-client",))),
    ("fast_open_lost_syn", "fast open, the SYN with data lost", dict(sysctl={"net.ipv4.tcp_fastopen": 0x207}, wire=("delay_us=1000", "ab:drop=1"))),
])


@case("fast open with more data than a SYN holds", sysctl={"net.ipv4.tcp_fastopen": 0x207}, wire=("delay_us=1000",))
def fast_open_much(n):
    fast_open(n, 6000)


@case("keys of TCP-MD5 that fit", keep=("4-client",))
def md5(n):
    md5_pair(n, b"secret", b"secret")


@case("keys of TCP-MD5 that do not fit: the server stays silent", keep=("4-client",))
def md5_wrong(n):
    md5_pair(n, b"secret", b"other")


def md5_pair(n, client_key, server_key):
    def key(s, address, secret):
        packed = socket.inet_pton(n.family, address)
        name = struct.pack("=HH4s", socket.AF_INET, 0, packed) if n.version == 4 else struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, packed, 0)
        s.setsockopt(socket.IPPROTO_TCP, 14, name.ljust(128, b"\0") + struct.pack("=BBHI", 0, 0, len(secret), 0) + secret.ljust(80, b"\0"))
    listener = n.socket(n.server)
    key(listener, n.client_address, server_key)
    listener.bind((n.server_address, SERVER_PORT))
    listener.listen(5)
    c = n.socket(n.client)
    key(c, n.server_address, client_key)
    c.settimeout(2.5)
    try:
        c.connect((n.server_address, SERVER_PORT))
    except OSError:
        return
    s = n.accept(listener)
    flow((c, s, 5000), (s, c, 5000))
    farewell(c, s)


@case("Multipath TCP", wire=("delay_us=1000",), keep=())
def multipath(n):
    listener = n.listen(protocol=262)
    c = n.connect(protocol=262)
    s = n.accept(listener)
    flow((c, s, 20000), (s, c, 5000))
    farewell(c, s)


# -- closing


@case("the client closes its half, the server goes on", wire=("delay_us=1000",), keep=("4-client",))
def half_close_client(n):
    c, s = n.pair()
    c.sendall(OCTETS[:1000])
    c.shutdown(socket.SHUT_WR)
    drain(s)
    for _ in range(3):
        s.sendall(OCTETS[:4000])
        pause(0.03)
    s.close()
    drain(c)
    c.close()


@case("the server closes its half, the client goes on", wire=("delay_us=1000",), keep=("6-server",))
def half_close_server(n):
    c, s = n.pair()
    s.sendall(OCTETS[:1000])
    s.shutdown(socket.SHUT_WR)
    drain(c)
    for _ in range(3):
        c.sendall(OCTETS[:4000])
        pause(0.03)
    c.close()
    drain(s)
    s.close()


@case("half-closes with loss", wire=("delay_us=1000", "loss=150"), keep=("4-server",))
def half_close_loss(n):
    half_close_client(n)


def close_together(n):
    c, s = n.pair()
    c.sendall(OCTETS[:500])
    drain(s, 500)
    s.sendall(OCTETS[:500])
    drain(c, 500)
    c.shutdown(socket.SHUT_WR)
    s.shutdown(socket.SHUT_WR)
    drain(c)
    drain(s)
    c.close()
    s.close()
    pause(0.3)


variants(close_together, [
    ("simultaneous_close", "both close at the same moment", dict(wire=("delay_us=30000",), keep=("4-client", "6-near"))),
    ("simultaneous_close_loss", "both close at the same moment, with loss", dict(wire=("delay_us=30000", "loss=200"), keep=("4-server",))),
    ("simultaneous_close_reorder", "both close at the same moment, with reordering", dict(wire=("delay_us=3000", "reorder=400", "held_us=20000"))),
])


@case("both send and close at the same moment", wire=("delay_us=30000",), keep=("4-far",))
def simultaneous_close_data(n):
    c, s = n.pair()
    for x in (c, s):
        x.sendall(OCTETS[:5000])
        x.shutdown(socket.SHUT_WR)
    drain(c)
    drain(s)


@case("connections that end in a reset: at once, after data, with data waiting", wire=("delay_us=1000",), keep=("4-client", "6-server"))
def abort(n):
    listener = n.listen()
    for amount in (0, 500, 20000):
        c = n.connect(LINGER_0)
        s = n.accept(listener)
        if amount:
            c.sendall(OCTETS[:amount])
        c.close()
        pause(0.02)
        drain(s)
        s.close()


@case("both reset at the same moment", wire=("delay_us=20000",), keep=("4-near",))
def abort_both(n):
    c, s = n.pair(LINGER_0)
    s.setsockopt(*LINGER_0)
    c.send(OCTETS[:100])
    c.close()
    s.close()
    pause(0.1)


@case("a server that closes with data unread", wire=("delay_us=1000",), keep=("4-client",))
def close_unread(n):
    c, s = n.pair()
    c.sendall(OCTETS[:4000])
    pause(0.02)
    s.recv(100)
    s.close()
    pause(0.05)
    with contextlib.suppress(OSError):
        c.send(OCTETS[:100])
    pause(0.05)


@case("a client that goes on sending to a server that has closed", wire=("delay_us=5000",), keep=("4-client", "6-server"))
def data_after_close(n):
    c, s = n.pair()
    c.sendall(OCTETS[:100])
    drain(s, 100)
    s.close()
    with contextlib.suppress(OSError):
        for _ in range(4):
            c.send(OCTETS[:700])
            pause(0.004)
    pause(0.05)


@case("a client that no longer wants to hear (SHUT_RD)", wire=("delay_us=1000",))
def shut_read(n):
    c, s = n.pair()
    c.shutdown(socket.SHUT_RD)
    s.sendall(OCTETS[:3000])
    pause(0.02)
    c.sendall(OCTETS[:300])
    drain(s, 300)
    c.close()
    pause(0.02)
    s.close()


@case("a reset under loss and reordering", wire=("delay_us=2000", "loss=100", "reorder=300"), keep=("4-server",))
def abort_weather(n):
    listener = n.listen()
    for amount in (100, 4000, 12000):
        c = n.connect(LINGER_0)
        s = n.accept(listener)
        c.sendall(OCTETS[:amount])
        s.sendall(OCTETS[:amount])
        c.close()
        pause(0.05)
        drain(s)
        s.close()


@case("FIN-WAIT-2 given up before the peer is done", wire=("delay_us=1000",), sysctl=tcp(fin_timeout=1), keep=("4-client",))
def fin_wait_2_timeout(n):
    c, s = n.pair()
    c.sendall(OCTETS[:200])
    c.close()
    drain(s, 200)
    pause(1.5)
    with contextlib.suppress(OSError):
        s.send(OCTETS[:500])
    pause(0.05)
    s.close()


@case("the process at one end is killed", wire=("delay_us=1000",))
def killed(n):
    listener = n.listen()
    child = n.client.start(sys.executable, "-c", "import socket,sys,time\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
                           "s.sendall(b'x'*5000)\ntime.sleep(60)\n", n.server_address, str(SERVER_PORT))
    s = n.accept(listener)
    drain(s, 5000)
    s.sendall(OCTETS[:500])
    pause(0.05)
    child.kill()
    child.wait()
    pause(0.05)


# -- time


KEEP_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
              (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)]


@case("keep-alive on an idle connection", wire=("delay_us=1000",), keep=("4-client", "6-server"))
def keep_alive(n):
    c, s = n.pair(*KEEP_ALIVE)
    c.sendall(OCTETS[:200])
    drain(s, 200)
    pause(3.4)
    c.sendall(OCTETS[:200])
    drain(s, 200)
    farewell(c, s)


@case("keep-alive before anything was sent, from both sides", wire=("delay_us=1000",))
def keep_alive_both(n):
    c, s = n.pair(*KEEP_ALIVE, server_options=KEEP_ALIVE)
    pause(2.5)
    farewell(c, s)


@case("keep-alive to a host that is gone", wire=("delay_us=1000", "ba:after=2"), keep=("4-client",))
def keep_alive_dead(n):
    c, s = n.pair(*KEEP_ALIVE)
    c.send(b"x")
    pause(6)


@case("data to a host that is gone, until the user timeout", wire=("delay_us=1000", "ab:after=3"), keep=("4-client", "4-server"))
def user_timeout(n):
    c, s = n.pair((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2500))
    c.send(OCTETS[:1000])
    pause(0.1)
    c.send(OCTETS[:1000])
    pause(4)


@case("data to a host that is gone, until the retransmissions are used up", wire=("delay_us=1000", "after=6"),
      sysctl=tcp(retries2=4, orphan_retries=2))
def retries_used_up(n):
    c, s = n.pair()
    for _ in range(6):
        c.send(OCTETS[:1000])
        pause(0.05)
    pause(6)


@case("an outage of eleven frames", wire=("delay_us=1000", "ab:drop=" + ",".join(str(i) for i in range(8, 19))), keep=("4-server", "6-client"))
def outage(n):
    bulk(n, 20000)


@case("an outage of eight frames of the receiver", wire=("delay_us=1000", "ba:drop=" + ",".join(str(i) for i in range(4, 12))))
def outage_acks(n):
    bulk(n, 20000)


@case("a client port used again while the server remembers it (TIME-WAIT)", wire=("delay_us=500",), sysctl=tcp(tw_reuse=1),
      keep=("4-client", "6-server"))
def time_wait_reuse(n):
    listener = n.listen()
    for i in range(4):
        c = n.connect(from_port=4321)
        s = n.accept(listener)
        c.sendall(OCTETS[:300])
        drain(s, 300)
        farewell(s, c)
        pause(0.02)


@case("a client port used again, no timestamps", wire=("delay_us=500",), sysctl=tcp(tw_reuse=1, timestamps=0), keep=("4-client",))
def time_wait_reuse_plain(n):
    time_wait_reuse(n)


@case("a client port used again after its own TIME-WAIT", wire=("delay_us=500",), sysctl=tcp(tw_reuse=1), keep=("4-server",))
def time_wait_reuse_own(n):
    listener = n.listen()
    for i in range(2):
        c = n.connect(from_port=4321) if i == 0 else retry_connect(n, 4321)
        s = n.accept(listener)
        c.sendall(OCTETS[:300])
        drain(s, 300)
        farewell(c, s)


def retry_connect(n, port):
    for _ in range(20):
        try:
            return n.connect(from_port=port)
        except OSError:
            pause(0.2)
    raise RuntimeError("the port stays in TIME-WAIT")


@case("a client port used again at once after a reset", wire=("delay_us=500",), keep=("4-client",))
def reset_reuse(n):
    listener = n.listen()
    for i in range(5):
        c = n.connect(LINGER_0, from_port=4321)
        s = n.accept(listener)
        c.sendall(OCTETS[:300])
        drain(s, 300)
        c.close()
        pause(0.01)


@case("a client port used again while late frames of its last life arrive", wire=("delay_us=500", "dup=200", "reorder=300", "held_us=40000"),
      sysctl=tcp(tw_reuse=1))
def reset_reuse_weather(n):
    listener = n.listen()
    for i in range(8):
        try:
            c = n.connect(LINGER_0, from_port=4321)
        except OSError:
            continue
        s = n.accept(listener)
        with contextlib.suppress(OSError):
            c.sendall(OCTETS[:3000])
            drain(s, 1000)
        c.close()
        pause(0.01)


# -- many


@case("sixty short connections one after another", wire=("delay_us=300",), keep=("4-client",))
def many_short(n):
    many(n, 60, 200)


@case("three hundred short connections one after another", topology="direct", offload=True)
def many_short_300(n):
    many(n, 300, 900)


@case("two hundred short connections, 3 % loss", wire=("loss=30",))
def many_short_loss(n):
    many(n, 200, 900)


def many(n, count, amount):
    listener = n.listen()
    for i in range(count):
        c = n.connect()
        s = n.accept(listener)
        c.sendall(OCTETS[:amount])
        drain(s, amount)
        s.sendall(OCTETS[:amount])
        drain(c, amount)
        if i % 3 == 0:
            farewell(s, c)
        else:
            farewell(c, s)


def at_once(n, count, amount):
    listener = n.listen()
    clients = [n.begin_connect() for _ in range(count)]
    servers = {}
    for _ in range(count):
        s = n.accept(listener)
        servers[s.getpeername()[1]] = s
    pairs = [(c, servers[c.getsockname()[1]]) for c in clients]
    flow(*[(c, s, amount) for c, s in pairs])
    for c, s in pairs:
        farewell(c, s)


@case("thirty connections at once", wire=("delay_us=1000",), keep=("6-client",))
def thirty_at_once(n):
    at_once(n, 30, 700)


@case("150 connections at once, loss and reordering", wire=("delay_us=1000", "loss=20", "reorder=100"))
def many_at_once_weather(n):
    at_once(n, 150, 4000)


@case("150 connections at once through a router", topology="router", offload=True)
def many_at_once(n):
    at_once(n, 150, 4000)


# -- path MTU


@case("a narrower link behind a router", topology="router", keep=("4-client", "6-client"))
def path_mtu(n):
    n.narrow(1300)
    c, s = n.pair()
    flow((c, s, 12000))
    flow((s, c, 6000))
    farewell(c, s)


@case("a link that becomes narrower on the way", topology="router", keep=("4-near", "6-near"))
def path_mtu_later(n):
    c, s = n.pair()
    flow((c, s, 12000))
    n.narrow(1400)
    flow((c, s, 12000))
    farewell(c, s)


@case("a narrower link behind a router, offload on", topology="router", offload=True)
def path_mtu_offload(n):
    path_mtu(n)


@case("a narrower link and hosts that do not ask for its MTU: fragments", topology="router", sysctl={"net.ipv4.ip_no_pmtu_disc": 1},
      versions=(4,), keep=("4-far",))
def fragments(n):
    n.narrow(1300)
    c, s = n.pair()
    flow((c, s, 12000))
    farewell(c, s)


@case("a small MSS on one side (TCP_MAXSEG)", keep=("4-client",))
def small_mss(n):
    bulk(n, 9000, server_options=[(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 200)])


# -- at home


@case("a connection over loopback, and one of a socket to itself", topology="direct", versions=(4,), keep=("4-any1",))
def loopback(n):
    n.server_address = n.client_address = "127.0.0.1"
    n.server, server = n.client, n.server
    c, s = n.pair()
    flow((c, s, 20000))
    farewell(c, s)
    own = n.socket(n.client)
    own.bind(("127.0.0.1", 5555))
    own.connect(("127.0.0.1", 5555))
    own.sendall(OCTETS[:300])
    drain(own, 300)
    own.shutdown(socket.SHUT_WR)
    drain(own)
    own.close()
    n.server = server


# ---- taking the captures -------------------------------------------------------------------------------------------


def points(net):
    """Where captures are taken: (point, host, device, tcpdump options) each."""
    yield "client", net.client, "eth0", ()
    yield "server", net.server, "eth0", ()
    yield "any1", net.client, "any", ("-y", "LINUX_SLL")
    yield "any2", net.server, "any", ("-y", "LINUX_SLL2", "--time-stamp-precision=nano")
    if net.middle is not None:
        yield "near", net.middle, "near", ()
        yield "far", net.middle, "far", ("-s", "96") if net.case.topology == "router" and net.case.offload else ()


def play(case, version, folder, wire_program, seed):
    net = Net(case, version, wire_program, seed)
    taps = []
    try:
        for point, host, device, options in points(net):
            taps.append(Tap(host, device, os.path.join(folder, f"{case.name}-{version}-{point}.pcap"), *options))
        for tap in taps:
            tap.wait_ready()
        case.play(net)
        pause(0.08)
    finally:
        for tap in taps:
            tap.stop()
        net.close()


def keep(case, version, folder, kept):
    for name in case.keep:
        wanted_version, point = name.split("-")
        if int(wanted_version) == version:
            shutil.copyfile(os.path.join(folder, f"{case.name}-{name}.pcap"), os.path.join(kept, f"{case.name}-{name}.pcap"))


# Captures of `tcpassay serve`: (name, its options, the command that it runs).
PUT = "f=$(mktemp) && head -c 30000 /dev/urandom > $f && curl -s -T $f http://192.0.2.2/x; rm -f $f"
SERVED = [
    ("serve-get-4-tap", [], "curl -s -o /dev/null http://192.0.2.2/bytes/30000"),
    ("serve-get-6-tap", [], "curl -g -s -o /dev/null http://[2001:db8::2]/bytes/30000"),
    ("serve-get-loss-4-tap", ["--loss", "5", "--seed", "3"], "curl -s -o /dev/null http://192.0.2.2/bytes/40000"),
    ("serve-get-weather-6-tap", ["--loss", "3", "--duplicate", "5", "--reorder", "10", "--seed", "4"],
     "curl -g -s -o /dev/null http://[2001:db8::2]/bytes/40000"),
    ("serve-put-4-tap", [], PUT),
    ("serve-put-loss-4-tap", ["--loss", "5", "--seed", "5"], PUT),
    ("serve-refused-4-tap", [], "curl -s http://192.0.2.2:81/ || true"),
    ("serve-abort-4-tap", [], "timeout 0.2 curl -s --limit-rate 20k -o /dev/null http://192.0.2.2/bytes/3000000 || true"),
    ("serve-many-4-tap", [], "for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null http://192.0.2.2/bytes/900; done"),
    ("serve-fast-open-4-tap", [], "for i in 1 2 3; do curl --tcp-fastopen -s -o /dev/null http://192.0.2.2/bytes/900; done"),
]
SERVED_KEPT = {"serve-get-4-tap", "serve-get-weather-6-tap", "serve-put-loss-4-tap"}


def serve(program, out):
    """Gives the names of those that were made."""
    for name, options, command in SERVED:
        path = os.path.join(out, name + ".pcap")
        subprocess.run(with_us([program, "serve", *options, "--pcap", path, "--", "sh", "-c", command]), stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)
        yield name + ".pcap"


# Captures made from others by editcap and mergecap, {0} and {1}, into {out}.
FORMS = [
    ("form-pcapng.pcapng", ["small-loss-4-client"], "editcap -F pcapng {0} {out}"),
    ("form-snaplen-96.pcap", ["small-weather-4-near"], "editcap -F pcap -s 96 {0} {out}"),
    ("form-snaplen-64.pcap", ["fast-open-cookie-6-server"], "editcap -F pcap -s 64 {0} {out}"),
    ("form-raw-ip.pcap", ["half-close-client-4-client"], "editcap -F pcap -C 14 -L -T rawip {0} {out}"),
    ("form-mid-connection.pcap", ["small-loss-6-server"], "editcap -F pcap -r {0} {out} 30-999"),
    ("form-mid-connections.pcap", ["thirty-at-once-6-client"], "editcap -F pcap -r {0} {out} 75-9999"),
    ("form-cut-file.pcap", ["requests-loss-4-far"], "head -c 9000 {0} > {out}"),
    ("form-two-places.pcapng", ["requests-loss-4-near", "requests-loss-4-far"], "mergecap -F pcapng -w {out} {0} {1}"),
    ("form-two-places.pcap", ["abort-6-client", "abort-6-server"], "mergecap -F pcap -w {out} {0} {1}"),
]


def forms(out):
    for name, sources, command in FORMS:
        paths = [os.path.join(out, f"{source}.pcap") for source in sources]
        if all(os.path.exists(path) for path in paths):
            subprocess.run(["sh", "-c", command.format(*paths, out=os.path.join(out, name))], check=True, stdout=subprocess.DEVNULL)
            yield name


README = """# Captures of ordinary traffic

TCP between Linux kernels (6.18), and between one and the reference stack, made by `../make-captures.py` in network namespaces of its own. None of them
holds a violation of a MUST: `tcpassay check` has to pass them all, also when they are spoiled as capturing spoils them
(`../mutate-harmless.c`), and has to see what is altered in them (`../mutate.c`). This table is written by the script.

A name is CASE-VERSION-POINT: over IPv4 or IPv6, captured at the client, at the server, on `any` (Linux cooked, 1 or 2), or in the middle: near the client or
far from it, before or behind the wire or router between them. Wire: what it does to TCP (see `../make-captures-wire.c`), ab: from the
client to the server. Octets sent are pseudo-random. Nothing here comes from anywhere but such namespaces.

| captures | what happens | wire or settings |
|---|---|---|
"""


def write_readme(kept):
    """The table of what is there."""
    there = sorted(name for name in os.listdir(kept) if ".pcap" in name)
    rows = []
    for c in CASES:
        names = [name for name in (f"{c.name}-{k}.pcap" for k in c.keep) if name in there]
        settings = [*c.wire, *(f"{name.replace('net.ipv4.', '')}={value}" for name, value in c.sysctl.items()),
                    *(["offload"] if c.offload else []), *([f"MTU {c.mtu}"] if c.mtu != 1500 else []), *([] if c.topology == "wire" else [c.topology])]
        if names:
            rows.append((names, c.says, ", ".join(settings)))
    rows += [([name + ".pcap"], f"reference stack and kernel: `{command}`", " ".join(options)) for name, options, command in SERVED
             if name + ".pcap" in there]
    rows += [([name], "made from " + " and ".join(sources), command.format("IN", "IN2", out="OUT")) for name, sources, command in FORMS if name in there]
    with open(os.path.join(kept, "README.md"), "w") as f:
        f.write(README)
        for names, says, settings in rows:
            f.write(f"| {'<br>'.join(names)} | {says.replace('|', '&#124;')} | {settings} |\n")
    missing = set(there) - {name for names, _, _ in rows for name in names}
    if missing:
        print("kept, but made by no case:", " ".join(sorted(missing)))


def build_wire(folder):
    program = os.path.join(folder, "make-captures-wire")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c17", "-D_GNU_SOURCE", "-O2", "-o", program, os.path.join(HERE, "make-captures-wire.c")],
                   check=True)
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="where all captures go (default: a folder that is removed)")
    parser.add_argument("--only", default="", help="cases whose name matches")
    parser.add_argument("--version", type=int, choices=(4, 6))
    parser.add_argument("--seed", type=int, default=0, help="another weather")
    parser.add_argument("--kept", help="where the captures go that the repository keeps")
    parser.add_argument("--tcpassay", help="the program, for captures of the reference stack")
    parser.add_argument("--list", action="store_true", help="say what there is, and what the repository keeps of it")
    arguments = parser.parse_args()
    wanted = [c for c in CASES if re.search(arguments.only, c.name)]
    if arguments.list:
        for c in wanted:
            print(f"{c.name}\t{c.topology}\t{' '.join(c.wire)}\t{' '.join(f'{k}={v}' for k, v in c.sysctl.items())}\t{' '.join(c.keep)}\t{c.says}")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        wire_program = build_wire(scratch)
        out = arguments.out or os.path.join(scratch, "out")
        os.makedirs(out, exist_ok=True)
        for c in wanted:
            for version in c.versions:
                if arguments.version not in (None, version):
                    continue
                begun = time.monotonic()
                try:
                    play(c, version, out, wire_program, arguments.seed)
                    if arguments.kept:
                        keep(c, version, out, arguments.kept)
                    print(f"{c.name}-{version}: {time.monotonic() - begun:.1f} s", flush=True)
                except Unable as reason:
                    print(f"{c.name}-{version}: left out: {reason}", flush=True)
                except (OSError, RuntimeError, subprocess.SubprocessError) as problem:
                    failed += 1
                    print(f"{c.name}-{version}: FAILED: {problem}", flush=True)
                    traceback.print_exc()
        made = [name for name in serve(arguments.tcpassay, out) if name[:-5] in SERVED_KEPT] if arguments.tcpassay else []
        made += forms(out)
        for name in made if arguments.kept else []:
            shutil.copyfile(os.path.join(out, name), os.path.join(arguments.kept, name))
        if arguments.kept:
            write_readme(arguments.kept)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
