import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** Two nodes that are this machine, each with room for one task. Nothing of it needs root, a key or a database. */
const configuration = (folder: string, host: string, user: string, port: number) => `
ClusterName=lethe
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${port}
SlurmUser=${user}
SlurmdUser=${user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MinJobAge=3600
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName=first NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port + 1} CPUs=1
NodeName=second NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port + 2} CPUs=1
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;

/** What Slurm needs of its own programs. */
export const SLURM_PROGRAMS = ["slurmctld", "slurmd", "sbatch", "scontrol", "squeue"];

/** Slurm is installed and does not start, as where a machine cannot find its own name. That says nothing about Lethe. */
export class NoSlurmError extends Error {}

/** A Slurm of two nodes on this machine. */
export class Slurm implements AsyncDisposable {
  /** What Slurm's commands need in the environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly #daemons: ChildProcess[];
  readonly #folder: string;

  private constructor(folder: string, env: NodeJS.ProcessEnv, daemons: ChildProcess[]) {
    this.#folder = folder;
    this.env = env;
    this.#daemons = daemons;
  }

  /**
   * @param folder an empty one, for its state and its logs
   * @throws NoSlurmError where it does not start on this machine
   */
  static async start(folder: string): Promise<Slurm> {
    mkdirSync(join(folder, "state"), { recursive: true });
    for (const node of ["first", "second"]) mkdirSync(join(folder, `spool-${node}`));
    const file = join(folder, "slurm.conf");
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    writeFileSync(file, configuration(folder, hostname(), userInfo().username, port));
    const env = { SLURM_CONF: file };
    const daemon = (name: string, ...args: string[]) => {
      const log = openSync(join(folder, `${name}${args.at(-1)}.out`), "a");
      return spawn(name, ["-D", ...args], { env: { ...process.env, ...env }, stdio: ["ignore", log, log] });
    };
    const daemons = [daemon("slurmctld", "-c"), daemon("slurmd", "-N", "first"), daemon("slurmd", "-N", "second")];
    const slurm = new Slurm(folder, env, daemons);
    try {
      await slurm.#until("both nodes are idle", 60, () => slurm.ask("sinfo", "-h", "-o", "%T %D").trim() === "idle 2");
    } catch (error) {
      await slurm[Symbol.asyncDispose]();
      throw new NoSlurmError((error as Error).message);
    }
    return slurm;
  }

  /** What one of Slurm's commands prints. */
  ask(command: string, ...args: string[]): string {
    return execFileSync(command, args, { env: { ...process.env, ...this.env }, encoding: "utf8" });
  }

  /** Kills the process of a task of an array as if the machine had no memory left, once it has run for a while. */
  async killTask(index: number, seconds: number): Promise<void> {
    const mine = () =>
      processes().find(({ environment, command }) => {
        return (
          environment.includes(`SLURM_ARRAY_TASK_ID=${index}`) &&
          command.includes("experiment/main.ts") &&
          command.startsWith("node")
        );
      });
    await this.#until(`task ${index} runs`, 300, () => mine() !== undefined);
    await setTimeout(1000 * seconds);
    process.kill(mine()!.pid, "SIGKILL");
  }

  /** Waits until no job is left. */
  async done(): Promise<void> {
    await this.#until("all jobs are done", 1800, () => this.ask("squeue", "-h").trim() === "");
  }

  async #until(what: string, seconds: number, so: () => boolean): Promise<void> {
    for (const end = Date.now() + 1000 * seconds; Date.now() < end; await setTimeout(500)) {
      try {
        if (so()) return;
      } catch {
        // The controller does not answer yet.
      }
    }
    const path = join(this.#folder, "slurmctld.log");
    const log = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(-15).join("\n") : "It has no log.";
    throw new Error(`Slurm: it is not so, after ${seconds} s, that ${what}.\n${log}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.reverse()) {
      daemon.kill("SIGTERM");
      await Promise.race([new Promise((resolve) => daemon.on("exit", resolve)), setTimeout(5000)]);
      daemon.kill("SIGKILL");
    }
  }
}

/** The processes that may be looked at. */
function processes() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
        return [{ pid: Number(pid), environment: read("environ"), command: read("cmdline") }];
      } catch {
        return [];
      }
    });
}
