import { prepareTestServer, removeTestServer } from '../support/test-server.js';
import { FastSystem } from './fast/fast-system.js';
import { useCases } from './fast/use-cases.js';
import { installGates } from './interception.js';
import { loadProfile } from './profile.js';
import { tellStory } from './story.js';

await prepareTestServer();
installGates();
const [from = 1, count = 1, disturbed = 1] = process.argv.slice(2).map(Number);
const system = await FastSystem.start(useCases);
const profile = disturbed ? await loadProfile() : undefined;
const t0 = performance.now();
let bad = 0;
for (let seed = from; seed < from + count; seed++)
  for (let again = 0; again < Number(process.env.AGAIN ?? 1); again++) {
    const t = performance.now();
    let report;
    try {
      report = await tellStory(system, seed, profile);
    } catch (error) {
      console.log(seed, 'THREW', error);
      bad++;
      continue;
    }
    if (report.findings.length > 0) {
      bad++;
      console.log(
        seed,
        report.hits.join(' '),
        report.steps.join(' '),
        JSON.stringify(
          report.findings.map((f) => `${f.kind}: ${f.what}`),
          null,
          1,
        ),
      );
    }
    if (process.env.STEPS)
      console.log(
        seed,
        (performance.now() - t).toFixed(0),
        report.recoveryMs / 60000,
        report.hits.join(' '),
        report.steps.join(' '),
      );
  }
console.log('ms per story', ((performance.now() - t0) / count).toFixed(1), 'bad', bad);
let sql = 0,
  http = 0,
  runs = 0;
for (const [name, all] of system.counted) {
  const s = all.reduce((a, c) => a + c.sql, 0),
    h = all.reduce((a, c) => a + c.http, 0);
  sql += s;
  http += h;
  runs += all.length;
  console.log(name, all.length / count, s / count, h / count);
}
console.log(
  'per story sql',
  sql / count,
  'http',
  http / count,
  'runs',
  runs / count,
  'cpu',
  process.cpuUsage().user / 1000 / count,
);
await system.stop();
await removeTestServer();
process.exit(0);
