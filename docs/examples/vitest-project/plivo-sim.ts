// The simulator for vitest. Copy this file, name it as `globalSetup` in vitest.config.ts, and make
// its types with `npm run types`. One server for all files; each test has an account of its own.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import createClient from 'openapi-fetch';
import { Client } from 'plivo';
import { inject, onTestFinished, vi } from 'vitest';
import type { TestProject } from 'vitest/node';
import type { components, paths } from './control.d.ts';

type Shapes = components['schemas'];
type BodyOf<P extends keyof paths> = paths[P] extends
  { post: { requestBody?: { content: { 'application/json': infer B } } } } ? B : never;
type Status = Shapes['Application']['status'];
type Settings = BodyOf<'/_sim/accounts'>['settings'];
type Decision = BodyOf<'/_sim/applications/{id}/decision'>;
type Answer<T> = Promise<{ data?: T; error?: Shapes['ProblemDetails'] }>;
declare module 'vitest' { interface ProvidedContext { plivoSim: string } }

/** Starts a simulator: `start('--state', folder)`. `restart` ends it and starts it again there. */
export async function start(...options: string[]) {
  const run = async (port: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'plivo-sim-'));
    const ready = join(folder, 'url');
    const words = ['serve', '--paused', '--port', port, '--ready-file', ready, ...options];
    const child = spawn('plivo-sim', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (text) => { log = (log + text).slice(-5000); });
    for (let url = ''; ; await pause(20)) {
      try { url = readFileSync(ready, 'utf8').trim(); } catch { /* not yet */ }
      if (url) return { child, url, folder };
      if (child.exitCode !== null) throw new Error(`plivo-sim did not start: ${log}`);
    }
  };
  let { child, url, folder } = await run('0');
  const stop = async () => {
    child.kill();
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  };
  const restart = async () => { await stop(); ({ child, folder } = await run(new URL(url).port)); };
  return { url, stop, restart };
}

/** What vitest calls once: the server of all files, unless PLIVO_SIM_URL names one. */
export default async function setup(project: TestProject) {
  const server = process.env.PLIVO_SIM_URL ? undefined : await start();
  project.provide('plivoSim', server?.url ?? process.env.PLIVO_SIM_URL!);
  return server?.stop;
}

/** The answer, or an error with the simulator's sentence. */
async function told<T>(answer: Answer<T>): Promise<T> {
  const { data, error } = await answer;
  if (error) throw new Error(error.detail);
  return data as T;
}

/** All records of a list, which comes in pages; `read` tells those behind `offset`, and of how many. */
async function every<T>(read: (offset: number) => Promise<[T[], number]>): Promise<T[]> {
  const found: T[] = [];
  for (let more = true; more;) {
    const [page, total] = await read(found.length);
    found.push(...page);
    more = page.length > 0 && found.length < total;
  }
  return found;
}

/** An account of the running test: the SDK's client, an inbox for callbacks, and the verbs. */
export async function account(settings: Settings = {}, at = inject('plivoSim')) {
  const id = `MA${randomBytes(9).toString('hex').toUpperCase()}`;
  const sim = createClient<paths>({ baseUrl: at });
  const body = <B extends object>(more: B) => ({ body: { account: id, ...more } });
  const query = (offset?: number) => ({ params: { query: { account: id, offset } } });
  const made = { auth_id: id, settings: { paused: true, ...settings } };
  await told(sim.POST('/_sim/accounts', { body: made }));
  const verbs = {
    id, token: 'test-token', url: at, inbox: `${at}/_sim/inbox/${id}`,
    client: new Client(id, 'test-token', { url: `${at}/v1/Account/${id}` }),
    advance: (by: string) => told(sim.POST('/_sim/clock/advance', body({ by }))),
    advanceUntil: (application: string, status: Status) =>
      told(sim.POST('/_sim/clock/advance', body({ until: { application, status } }))),
    decide: (application: string, status: Decision['status'], reason?: string) =>
      told(sim.POST('/_sim/applications/{id}/decision',
        { params: { path: { id: application } }, ...body({ status, reason }) })),
    fault: (fault: BodyOf<'/_sim/faults'>) => told(sim.POST('/_sim/faults', body(fault))),
    scenario: (scenario: Shapes['Scenario']) => told(sim.POST('/_sim/scenario', body({ scenario }))),
    applications: () => every(async (offset) => {
      const page = await told(sim.GET('/_sim/applications', query(offset)));
      return [page.applications, page.total_count];
    }),
    webhooks: () => every(async (offset) => {
      const page = await told(sim.GET('/_sim/webhooks', query(offset)));
      return [page.webhooks, page.total_count];
    }),
    requests: async () => (await told(sim.GET('/_sim/requests', query()))).requests,
    /** The first callback with this status, once the receiver has taken it. */
    callback: (status: string) => vi.waitFor(async () => {
      const taken = (await verbs.webhooks()).filter((each) => each.state === 'delivered');
      const found = taken.find((each) => each.payload.status === status);
      if (!found) throw new Error(`no callback with ${status} was delivered`);
      return found;
    }, { timeout: 5000 }),
    /** What happened in this account, for a person to read. */
    report: async () => [
      ...(await verbs.applications()).flatMap(({ id, alias, timeline }) => [`${id} ${alias}`,
        ...timeline.map((each) => `  ${each.at} ${each.status} by ${each.by}: ${each.why}`)]),
      ...(await verbs.webhooks()).map((each) => `callback ${each.state} to ${each.url}: ${each.why}`),
      ...(await verbs.requests()).map((each) => `${each.method} ${each.url} ${each.status}: ${each.answer}`),
    ].join('\n'),
  };
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await verbs.report());
    await sim.POST('/_sim/reset', body({}));
  });
  return verbs;
}
