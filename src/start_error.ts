/** The environment cannot carry this configuration: a name does not resolve, a log cannot be opened, a password is not there. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StartError";
  }
}
