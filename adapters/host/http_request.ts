/**
 * One HTTP request to a server at a known address, by `node:http`, which all three runtimes have.
 *
 * Owns: its bounds of size and time. No proxy of the environment is asked, no redirect is followed.
 */

import { type IncomingMessage, request } from "node:http";
import type { RequestHttp } from "../../src/http_service.ts";
import { toIoError } from "../shared/io_error.ts";

/** Bytes of an answer: ten thousand connections are some megabytes. */
const MAX_ANSWER = 64 * 1024 * 1024;

export const requestHttp: RequestHttp = (question) =>
  new Promise((resolve, reject) => {
    const { server, method, target, headers, body, timeout } = question;
    const where = "path" in server ? { socketPath: server.path } : { host: server.host, port: server.port };
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const asked = request({ ...where, method, path: target, agent: false, headers: { ...headers, ...length } });
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      asked.destroy();
      reject(toIoError(error));
    };
    const timer = setTimeout(() => fail(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })), timeout);
    asked.on("error", fail);
    asked.on("response", (answer: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER) fail(Object.assign(new Error("the answer is too long"), { code: "EMSGSIZE" }));
        else chunks.push(chunk);
      });
      answer.on("error", fail);
      answer.on("end", () => {
        clearTimeout(timer);
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    asked.end(body);
  });
