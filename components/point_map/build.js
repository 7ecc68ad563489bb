// Bundles src/ to assets/index-<digest>.js. The digest is that of the sources, so that a test
// can tell, without npm, whether the committed bundle is the one that the sources give.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
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
const assets = join(here, "assets");
rmSync(assets, { recursive: true, force: true });
mkdirSync(assets);
const result = await build({
  entryPoints: [join(here, "src/index.js")],
  outfile: join(assets, `index-${digest.slice(0, 12)}.js`),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  loader: { ".css": "text", ".vert": "text", ".frag": "text" },
  banner: { js: `/* MMRec Lens, Apache-2.0. Built by components/point_map/build.js; sources ${digest} */` },
  metafile: true,
});
const foreign = Object.keys(result.metafile.inputs).filter((name) => name.includes("node_modules"));
if (foreign.length) {
  throw new Error(`Ship the licences of what is bundled first: ${foreign.join(", ")}`);
}
console.log(digest);
