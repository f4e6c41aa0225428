// Runs the test files of the vitest project in the working folder again and again, against one
// server: `node repeat.mjs RUNS REPEATS FILE…` starts all of them RUNS times, in which every test
// runs REPEATS times. Prints one JSON line: how many tests passed, and what failed.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [runs, repeats, ...files] = process.argv.slice(2);
process.env.REPEATS = repeats;
const require = createRequire(join(process.cwd(), 'package.json'));
const { createVitest } = await import(pathToFileURL(require.resolve('vitest/node')));
const runner = fileURLToPath(new URL('repeating.mjs', import.meta.url));
const vitest = await createVitest('test', { watch: false, reporters: [{}], runner });
const specifications = await vitest.globTestSpecifications(files);
const failed = [];
let passed = 0;
for (let run = 1; run <= Number(runs); run += 1) {
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
  for (const error of unhandledErrors) failed.push(`run ${run}: ${error}`);
  for (const module of testModules) {
    for (const error of module.errors()) failed.push(`run ${run}: ${error.message}`);
    for (const test of module.children.allTests()) {
      const { repeatCount } = test.diagnostic();
      if (test.result().state === 'passed') passed += 1 + repeatCount;
      else failed.push(`run ${run}: ${test.fullName}: ${test.result().errors?.[0]?.message}`);
    }
  }
}
await vitest.close();
console.log(JSON.stringify({ files: specifications.length, passed, failed }));
