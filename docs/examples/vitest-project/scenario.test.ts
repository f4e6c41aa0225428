import { expect, test } from 'vitest';
import { file } from './compliance.ts';
import { account } from './plivo-sim.ts';

test('one company is rejected, the others are accepted', async () => {
  const sim = await account();
  await sim.scenario({
    scenario: 'Whoever is called Bad Inc. is rejected at once.',
    rules: [{ when: { name: 'bad*' }, decide: 'rejected', reason: 'name_mismatch', after: '0s' }],
    default: { decide: 'accepted', after: '2 business days' },
  });
  const ids = [await file(sim.client, 'Bad Inc.', sim.inbox), await file(sim.client, 'Good', sim.inbox)];
  await sim.advance('3 business days');
  const shown = await sim.applications();
  expect(ids.map((id) => shown.find((each) => each.id === id)?.status)).toEqual(['rejected', 'accepted']);
});
