/** dormouse-edge/cloud: workers that answer asks, and their ensembles and providers. */

export type { TeacherMember } from "../cloud/ensemble.ts";
export type { CloudAnswer, CloudQuery, Provider } from "../cloud/provider.ts";
export type { TeacherOptions } from "../cloud/teacher.ts";
export { createTeacher } from "../cloud/teacher.ts";
export type { Worker, WorkerOptions } from "../cloud/worker.ts";
export { startWorker } from "../cloud/worker.ts";
