// npm leaves a platform variant out of package-lock.json when the registry it was run against does not have it, and
// then `npm ci` refuses the lockfile with "Missing: … from lock file". This adds an entry for each of them, so that the
// lockfile installs everywhere. It also removes the registry a package came from: the
// integrity hash says what the package must be, and where to fetch it is for the reader's npm configuration to say.
// With --check it writes nothing and fails when there is something to do.
import { readFileSync, writeFileSync } from 'node:fs';

const LOCKFILES = ['package-lock.json', 'test/bench/package-lock.json'];
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

const OS = {
  ...sameNames('linux', 'darwin', 'win32', 'freebsd', 'openbsd', 'netbsd', 'android', 'sunos', 'aix', 'openharmony'),
  ...{ linuxmusl: 'linux', win: 'win32', windows: 'win32' },
};
const CPU = {
  ...sameNames('x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'),
  ...{ x86_64: 'x64', aarch64: 'arm64', armv6: 'arm', armv7: 'arm', ppc64le: 'ppc64' },
};
const LIBC = { gnu: 'glibc', glibc: 'glibc', gnueabihf: 'glibc', musl: 'musl', linuxmusl: 'musl', musleabihf: 'musl' };

const check = process.argv.includes('--check');
for (const file of LOCKFILES) {
  const lock = JSON.parse(readFileSync(urlOf(file), 'utf8'));
  const missing = findMissing(lock.packages);
  const located = Object.entries(lock.packages).filter(([, entry]) => hasForeignPlace(entry));
  if (check) report(file, missing, located);
  else repair(file, lock, missing, located);
}

function urlOf(file) {
  return new URL(`../${file}`, import.meta.url);
}

function sameNames(...names) {
  return Object.fromEntries(names.map((name) => [name, name]));
}

function findMissing(packages) {
  const found = new Map();
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isResolvable(packages, path, name)) found.set(`node_modules/${name}`, entryFor(name, range, entry));
    }
  }
  return found;
}

/** Node's own rule: the dependant's node_modules first, then those of each directory above it. */
function isResolvable(packages, path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(from.lastIndexOf('node_modules/') - 1, 0))) {
    if (packages[from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`] !== undefined) return true;
    if (from === '') return false;
  }
}

function entryFor(name, range, dependant) {
  const version = range.replace(/^[\^~=v]+/, '');
  if (!/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/.test(version)) {
    fail(`No version can be told from ${name}@${range}: run "npm install" where that package can be reached.`);
  }
  const { os, cpu, libc } = platformOf(name);
  // In npm's order, so that the next "npm install" does not rewrite it. What has no value is left out of the JSON.
  return { version, cpu, dev: dependant.dev, libc, optional: true, os };
}

function platformOf(name) {
  // The package's last name only: a scope such as @win32 would say nothing.
  const words = name.slice(name.lastIndexOf('/') + 1).split(/[-.]/);
  const pick = (table) => {
    const value = words.map((word) => table[word]).find((found) => found !== undefined);
    return value && [value];
  };
  return { os: pick(OS), cpu: pick(CPU), libc: pick(LIBC) };
}

function hasForeignPlace(entry) {
  return entry.resolved !== undefined && entry.link !== true && !entry.resolved.startsWith(PUBLIC_REGISTRY);
}

function report(file, missing, located) {
  for (const [path, { version }] of missing) console.error(`missing: ${path.slice('node_modules/'.length)}@${version}`);
  for (const [path] of located) console.error(`names a registry other than the public one: ${path}`);
  const problems = missing.size + located.length;
  if (problems > 0) fail(`${file} has ${problems} incomplete entries: run "npm run fix:lockfile".`);
}

function repair(file, lock, missing, located) {
  for (const [, entry] of located) delete entry.resolved;
  const entries = Object.entries(lock.packages).concat([...missing]);
  // npm's order, so that the next "npm install" does not move them.
  entries.sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(entries);
  writeFileSync(urlOf(file), `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${file}: ${missing.size} platform packages added, ${located.length} registry addresses removed.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
