/** The kernel's structures in memory: they need no kernel to be checked. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLayout, readSockaddr, SOCKADDR_SIZE, writeSockaddr } from "../../adapters/linux/layout.ts";
import type { Endpoint } from "../../src/address.ts";

test("epoll_event is packed on x86-64 and aligned on arm64", () => {
  assert.deepEqual(eventLayout("x64"), { words: 3, data: 1 });
  assert.deepEqual(eventLayout("arm64"), { words: 4, data: 2 });
});

function written(endpoint: Endpoint): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_SIZE).fill(0xee);
  return bytes.slice(0, writeSockaddr(bytes, endpoint));
}

test("sockaddr_in and sockaddr_in6", () => {
  assert.deepEqual(
    [...written({ kind: "tcp", ip: "10.1.2.3", port: 443 })],
    [2, 0, 1, 187, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  const six = written({ kind: "tcp", ip: "2001:db8::5", port: 8080 });
  assert.equal(six.length, 28);
  assert.deepEqual([...six.subarray(0, 12)], [10, 0, 0x1f, 0x90, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8]);
});

test("what is written is read back", () => {
  const endpoints: Endpoint[] = [
    { kind: "tcp", ip: "255.255.255.255", port: 65535 },
    { kind: "tcp", ip: "::", port: 0 },
    { kind: "tcp", ip: "2001:db8::ff00:42:8329", port: 1 },
    { kind: "unix", path: "/run/größe.sock" },
    { kind: "unix", path: `/${"x".repeat(106)}` },
  ];
  for (const endpoint of endpoints) {
    const bytes = written(endpoint);
    assert.deepEqual(readSockaddr(bytes, bytes.length), endpoint);
  }
});

test("an IPv4-mapped peer is told as IPv4, an unnamed one has no path", () => {
  const mapped = new Uint8Array(28);
  mapped.set([10, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7]);
  assert.deepEqual(readSockaddr(mapped, 28), { kind: "tcp", ip: "192.0.2.7", port: 80 });
  assert.deepEqual(readSockaddr(Uint8Array.of(1, 0), 2), { kind: "unix", path: "" });
});

test("a path that does not fit, or would end early, has no sockaddr", () => {
  for (const path of ["", `/${"x".repeat(107)}`, "/a\0b"]) assert.equal(written({ kind: "unix", path }).length, 0);
  assert.equal(written({ kind: "tcp", ip: "not an address", port: 1 }).length, 0);
});
