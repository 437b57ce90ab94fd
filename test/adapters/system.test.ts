/** Sockets of others, accounts, and the service manager: on this very machine where it has what they need. */

import assert from "node:assert/strict";
import net from "node:net";
import process from "node:process";
import { test } from "node:test";
import { EAGAIN } from "../../adapters/linux/constants.ts";
import { type Libc, NoLibcError, openLibc } from "../../adapters/linux/ffi.ts";
import { findEntry, stillHeld } from "../../adapters/system/account.ts";
import { notifyAddress, openNotifier } from "../../adapters/system/notifier.ts";
import { portOwner } from "../../adapters/system/port_owner.ts";
import { listeningSockets } from "../../adapters/system/proc_sockets.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000 100 0 0 10 0
   1: 0100007F:1F91 0200007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 112 1 0000 100 0 0 10 0
broken
`;
const TCP6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 113 1
   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 114 1
`;
const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 115 /run/a b.sock
0000000000000000: 00000002 00000000 00000000 0002 01 116 /run/datagram
0000000000000000: 00000003 00000000 00000000 0001 03 117 /run/connected
`;

test("/proc/net says where each listening socket listens", () => {
  assert.deepEqual(
    [...listeningSockets({ tcp: TCP, tcp6: TCP6, unix: UNIX })],
    [
      ["111", { kind: "tcp", ip: "127.0.0.1", port: 8080 }],
      ["113", { kind: "tcp", ip: "::", port: 443 }],
      ["114", { kind: "tcp", ip: "::1", port: 80 }],
      ["115", { kind: "unix", path: "/run/a b.sock" }],
    ],
  );
  assert.equal(listeningSockets({ tcp: "", tcp6: "", unix: "" }).size, 0);
});

test("whose a port is, on every address too", { skip: process.platform !== "linux" && "Linux only" }, async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port } = server.address() as net.AddressInfo;
  const owner = await portOwner({ kind: "tcp", ip: "127.0.0.1", port });
  assert.equal(owner?.process, process.pid);
  assert.match(owner?.command ?? "", /\S/);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await portOwner({ kind: "tcp", ip: "127.0.0.1", port }), undefined);
});

test("accounts are found by name, then by number", () => {
  const table = "root:x:0:0::/:/bin/sh\nproxy:x:13:14::/:/bin/sh\n13:x:99:99::/:/bin/sh\n";
  assert.equal(findEntry(table, "proxy")?.[2], "13");
  assert.equal(findEntry(table, "13")?.[2], "99");
  assert.equal(findEntry(table, "0")?.[0], "root");
  assert.equal(findEntry(table, "ghost"), undefined);
});

test("whatever is left of the former user is seen", () => {
  const account = { uid: 13, gid: 14, text: "" };
  const status = (uid: string, gid: string, groups: string): string =>
    `Name:\tx\nUid:\t${uid}\nGid:\t${gid}\nGroups:\t${groups}\n`;
  assert.equal(stillHeld(status("13\t13\t13\t13", "14\t14\t14\t14", "14 "), account), undefined);
  assert.equal(stillHeld(status("13\t13\t13\t13", "14\t14\t14\t14", ""), account), undefined);
  assert.match(stillHeld(status("13\t13\t0\t13", "14\t14\t14\t14", ""), account) ?? "", /former user/);
  assert.match(stillHeld(status("13\t13\t13\t13", "14\t0\t14\t14", ""), account) ?? "", /former group/);
  assert.match(stillHeld(status("13\t13\t13\t13", "14\t14\t14\t14", "4 27 14"), account) ?? "", /groups 4, 27 cannot/);
  assert.equal(stillHeld("", account), undefined);
});

test("NOTIFY_SOCKET is a path or an abstract name", () => {
  assert.deepEqual([...(notifyAddress("/a") ?? [])], [1, 0, 47, 97, 0]);
  assert.deepEqual([...(notifyAddress("@a") ?? [])], [1, 0, 0, 97]);
  for (const bad of ["vsock:2:1234", "a", "", `/${"a".repeat(107)}`]) assert.equal(notifyAddress(bad), undefined);
});

const libc = await openLibc().catch((error): Libc | string => {
  if (error instanceof NoLibcError) return error.message;
  throw error;
});

test("messages arrive at an abstract socket", { skip: typeof libc === "string" ? libc : false }, async () => {
  assert.ok(typeof libc !== "string");
  const name = `@certless-test-${Math.random().toString(36).slice(2)}`;
  const address = notifyAddress(name)!;
  const copy = libc.allocate(address.length);
  copy.bytes.set(address);
  const fd = libc.socket(1, 2 | 0o4000, 0);
  assert.equal(libc.bind(fd, copy.address, address.length), 0);
  process.env.NOTIFY_SOCKET = name;
  process.env.WATCHDOG_USEC = "3000000";
  const notifier = await openNotifier(() => assert.fail());
  delete process.env.NOTIFY_SOCKET;
  delete process.env.WATCHDOG_USEC;
  assert.equal(notifier?.watchdog, 3000);
  notifier.send(["READY=1", "STATUS=fine"]);
  const buffer = libc.allocate(256);
  const count = libc.recv(fd, buffer.address, 256, 0);
  assert.equal(new TextDecoder().decode(buffer.bytes.subarray(0, count)), "READY=1\nSTATUS=fine");
  assert.ok((notifier.monotonic() ?? 0n) > 0n);
  libc.close(fd);
  notifier.send(["WATCHDOG=1"]);
  assert.equal(libc.recv(fd, buffer.address, 256, 0), -1);
  assert.notEqual(libc.errno[0], EAGAIN);
});

test("nobody wants to hear: there is no notifier", async () => {
  assert.equal(await openNotifier(() => assert.fail()), undefined);
});
