import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { globalSetup: './plivo-sim.ts', pool: 'threads', maxWorkers: 4 },
});
