/**
 * Runs every step in order, whatever those before it threw, then throws the first error with the others as its cause: what fails in a
 * close must not leave the rest open. Example: `await closeAll(() => asker.close(), () => broker.close())`.
 */
export async function closeAll(...steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  const [first, ...others] = errors;
  if (others.length > 0 && first instanceof Error) first.cause ??= new AggregateError(others, "more failed to close");
  if (errors.length > 0) throw first;
}
