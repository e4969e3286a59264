import { systemReason } from "./private-file.ts";

const MEND: Readonly<Record<string, string>> = {
  EMFILE: "Raise the limit of this shell or service: ulimit -n 1024",
  ENFILE: "Close other programs, or raise the system's limit (sysctl fs.file-max)",
  ERR_MODULE_NOT_FOUND: "Install Dormouse again: npm ci",
};

/** Why a part of the program could not be loaded, and what helps; undefined if the error is of another kind. */
export function describeLoadFailure(error: unknown): string | undefined {
  const mend = MEND[(error as NodeJS.ErrnoException | undefined)?.code ?? ""];
  return mend === undefined ? undefined : `cannot load its program: ${systemReason(error)}. ${mend}.`;
}
