// A runner for vitest that runs every test so many times (REPEATS) one after the other.
import { VitestTestRunner } from 'vitest/runners';

const times = Number(process.env.REPEATS);
const testsOf = (task) => (task.type === 'test' ? [task] : task.tasks.flatMap(testsOf));

export default class Repeating extends VitestTestRunner {
  onCollected(files) {
    super.onCollected?.(files);
    for (const test of files.flatMap(testsOf)) test.repeats = times - 1;
  }
}
