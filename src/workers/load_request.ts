/**
 * What a loader, a thread that reads configuration files, is asked and answers.
 *
 * Owns: the answering. All of it survives a message; route tables go as shared memory, without a copy.
 */

import { type ConfigFile, type FileReader, readConfigFile } from "../config_file.ts";

export interface LoadRequest {
  readonly id: number;
  readonly path: string;
}

export interface LoadAnswer {
  readonly id: number;
  readonly file: ConfigFile;
}

/** Never rejects. */
export async function answerLoad(host: FileReader, { id, path }: LoadRequest): Promise<LoadAnswer> {
  return { id, file: await readConfigFile(host, path) };
}
