import { installGates } from './interception.js';
import { FastSystem } from './fast/fast-system.js';
import { useCases } from './fast/use-cases.js';
import { prepareTestServer, removeTestServer } from '../support/test-server.js';
import { tellStory } from './story.js';
import { readFileSync } from 'node:fs';
await prepareTestServer();
installGates();
const [from, count, disturbed] = process.argv.slice(2).map(Number);
const system = await FastSystem.start(useCases);
const profile = disturbed ? JSON.parse(readFileSync(new URL('profile.json', import.meta.url), 'utf8')) : undefined;
const t0 = performance.now();
let bad = 0;
for (let seed = from!; seed < from! + count!; seed++) {
  const t = performance.now();
  let report;
  try { report = await tellStory(system, seed, profile); } catch (error) { console.log(seed, 'THREW', error); bad++; continue; }
  if (process.env.LOG) for (const r of ((await system.control('GET', '/requests')) as any).requests) if (r.kind === 'token' || process.env.LOG === 'all') console.log(r.at, r.method, r.path, JSON.stringify(r.query).slice(0, 100), r.status, r.fault, r.replayed);
  if (report.findings.length > 0) { bad++; console.log(seed, report.hits.join(' '), JSON.stringify(report.findings.map((f) => `${f.kind}: ${f.what}`), null, 1)); }
  if (process.env.STEPS) console.log(seed, (performance.now() - t).toFixed(0), report.recoveryMs / 60000, report.hits.join(' '), report.steps.join(' '));
}
console.log('ms per story', ((performance.now() - t0) / count!).toFixed(1), 'bad', bad);
if (!disturbed) {
  const profile = Object.fromEntries([...system.counted].map(([name, all]) => [name, { sql: all.map((c) => c.sql).sort((a, b) => a - b)[Math.floor(all.length * 0.9)], http: all.map((c) => c.http).sort((a, b) => a - b)[Math.floor(all.length * 0.9)], runs: all.length }]));
  console.log(JSON.stringify(profile));
}
await system.stop();
await removeTestServer();
process.exit(0);
