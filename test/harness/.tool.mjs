// test/harness/systemd-root.ts
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs";
import { dirname, join } from "node:path";
var SUITE = "bookworm";
var KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
var USUAL_MIRROR = "http://deb.debian.org/debian";
var PACKAGES = [
  "systemd",
  "systemd-sysv",
  "libpam-systemd",
  "dbus",
  "polkitd",
  "libglib2.0-bin",
  "iproute2",
  "ethtool",
  "kmod",
  "procps",
  "ca-certificates",
  "curl"
];
var SILENT_UNITS = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "systemd-resolved.service",
  "systemd-networkd-wait-online.service",
  "systemd-timesyncd.service"
];
var RECIPE_VERSION = 1;
var CACHE = join(checkout(import.meta.dirname), ".data", "systemd-root");
var DEADLINE_MS = 9e5;
var systemd = {
  name: "systemd in nspawn",
  absence: () => {
    if (process.platform !== "linux") return "this is not Linux";
    if (process.getuid?.() !== 0) return "this user is not root";
    for (const tool of ["systemd-nspawn", "debootstrap", "nsenter"]) {
      if (spawnSync("sh", ["-c", `command -v ${tool}`], { timeout: 1e4 }).status === 0) continue;
      return `${tool} is not installed (apt-get install --no-install-recommends debootstrap systemd-container)`;
    }
    return existsSync(rootPath()) ? null : unreachableMirror();
  },
  required: true
};
async function providePristineRoot() {
  const path = rootPath();
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(join(CACHE, "making-"));
  try {
    await debootstrap(making);
    settle(making);
    if (!existsSync(path)) renameSync(making, path);
    return path;
  } finally {
    rmSync(making, { recursive: true, force: true, maxRetries: 5 });
  }
}
function checkout(folder) {
  if (existsSync(join(folder, "pnpm-workspace.yaml"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("these tests are in no checkout");
  return checkout(above);
}
function rootPath() {
  const recipe = JSON.stringify([RECIPE_VERSION, SUITE, PACKAGES, SILENT_UNITS]);
  return join(CACHE, `${SUITE}-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`);
}
function debootstrap(folder) {
  const args = [
    "--variant=minbase",
    ...existsSync(KEYRING) ? [`--keyring=${KEYRING}`] : [],
    `--include=${PACKAGES.join(",")}`,
    ...[SUITE, folder, mirror()]
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("debootstrap", args, { stdio: ["ignore", "pipe", "pipe"], timeout: DEADLINE_MS });
    let said = "";
    const keep = (piece) => {
      said = (said + piece.toString()).slice(-2e3);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`debootstrap ended with ${code ?? signal}: ${said}`));
    });
  });
}
function settle(root) {
  const archives = join(root, "var/cache/apt/archives");
  for (const file of readdirSync(archives)) {
    if (file.endsWith(".deb")) rmSync(join(archives, file));
  }
  rmSync(join(root, "var/lib/apt/lists"), { recursive: true, force: true });
  mkdirSync(join(root, "var/lib/apt/lists/partial"), { recursive: true });
  rmSync(join(root, "var/lib/dbus/machine-id"), { force: true });
  writeFileSync(join(root, "etc/machine-id"), "");
  mkdirSync(join(root, "var/log/journal"), { recursive: true });
  const masked = spawnSync("systemctl", [`--root=${root}`, "mask", ...SILENT_UNITS], { encoding: "utf8" });
  if (masked.status !== 0) throw new Error(`units of ${root} could not be masked: ${masked.stderr}`);
}
function mirror() {
  const folder = "/etc/apt/sources.list.d";
  const lists = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  for (const file of ["/etc/apt/sources.list", ...lists]) {
    if (!existsSync(file)) continue;
    const text = readFileSync(file, "utf8");
    const found = /^(?:deb(?: \[[^\]]*\])?|URIs:)\s+(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(text)?.[1];
    if (found !== void 0) return found;
  }
  return USUAL_MIRROR;
}
function unreachableMirror() {
  const release = `${mirror()}/dists/${SUITE}/InRelease`;
  const args = ["--quiet", "--spider", "--tries=2", "--timeout=10", release];
  if (spawnSync("wget", args, { timeout: 3e4 }).status === 0) return null;
  return `there is no root file system yet, and ${release} cannot be had to make one`;
}
export {
  providePristineRoot,
  systemd
};
