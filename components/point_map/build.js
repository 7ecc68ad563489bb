// Bundles src/ to assets/index-<digest>.js. The digest is that of the sources, so that a test
// can tell, without npm, whether the committed bundle is the one that the sources give.
// Writes the licences of what is bundled to THIRD_PARTY_LICENSES.txt.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const names = [
  "build.js",
  "package-lock.json",
  "package.json",
  ...readdirSync(join(here, "src")).map((name) => `src/${name}`),
].sort();
const hash = createHash("sha256");
for (const name of names) {
  const content = readFileSync(join(here, name));
  hash.update(`${name}\0${content.length}\0`);
  hash.update(content);
}
const digest = hash.digest("hex");

const options = {
  absWorkingDir: here,
  entryPoints: ["src/index.js"],
  outfile: `assets/index-${digest.slice(0, 12)}.js`,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  loader: { ".css": "text" },
  metafile: true,
};
const { metafile } = await build({ ...options, write: false });
const packages = bundled(Object.keys(metafile.inputs));
const list = packages.map(({ name, version }) => `${name} ${version}`);
writeFileSync(join(here, "THIRD_PARTY_LICENSES.txt"), licences(packages));
rmSync(join(here, "assets"), { recursive: true, force: true });
mkdirSync(join(here, "assets"));
await build({
  ...options,
  banner: {
    js:
      `/* MMRec Lens, Apache-2.0. Built by components/point_map/build.js; sources ${digest}\n` +
      `Bundled, licences in THIRD_PARTY_LICENSES.txt: ${list.join(", ")} */`,
  },
});
console.log(`${digest}\n${list.join("\n")}`);

// Packages that bundled files belong to, and what those depend on: some come with their
// dependencies built in.
function bundled(files) {
  const found = new Map();
  const add = (folder) => {
    const { name, version, license, dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json")));
    if (found.has(`${name} ${version}`)) return;
    found.set(`${name} ${version}`, { name, version, license, folder });
    for (const needed of Object.keys(dependencies)) add(resolve(needed, folder));
  };
  for (const file of files) {
    const [, folder] = file.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//) ?? [];
    if (folder) add(join(here, folder));
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

function resolve(name, from) {
  for (let folder = from; folder !== dirname(here); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`${name}, which ${from} needs, is not installed`);
}

function licences(packages) {
  const parts = packages.map(({ name, version, license, folder }) => {
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    if (!file) throw new Error(`${name} ${version} has no licence to ship`);
    return `${name} ${version} (${license})\n${"-".repeat(72)}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  return `Packages of others in assets/, with their licences.\n\n${parts.join("\n\n")}`;
}
