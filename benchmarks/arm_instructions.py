"""Instructions that one run of a .tflite takes on a phone's CPU, in millions.

    python benchmarks/arm_instructions.py FOLDER FILE... [--lengths 128,25] [--cpu cortex-a76]

An AArch64 Python in FOLDER, made as arm.md says, runs each file with LiteRT on one thread in QEMU's
user mode, where a plugin counts. Three runs less one, halved, are a run. The count does not depend
on what else the machine is doing, and says nothing of caches and memory: it compares files, and
gives no times. A file of a fixed length is counted at that length alone.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter

# Declared here, as Debian has no header of QEMU's plugins.
PLUGIN = r"""
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t, void (*)(uint64_t, void *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(void *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_atexit_cb(uint64_t, void (*)(uint64_t, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const void *);
int qemu_plugin_version = 1;
static uint64_t count;
static void executed(unsigned cpu, void *size) { count += (uintptr_t)size; }
static void translated(uint64_t id, void *block) {
  void *size = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0, size);
}
static void finished(uint64_t id, void *data) { fprintf(stderr, "\ncounted %" PRIu64 "\n", count); }
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finished, NULL);
  return 0;
}
"""
PROGRAM = """
import sys
import numpy
from ai_edge_litert.interpreter import Interpreter
run = Interpreter(sys.argv[1], num_threads=1).get_signature_runner()
ids = numpy.arange(1000, 1000 + int(sys.argv[2]), dtype=numpy.int32)[None]
inputs = {name: ids if "ids" in name and "type" not in name else 0 * ids for name in
          run.get_input_details()}
inputs["attention_mask"] = ids // ids
for _ in range(int(sys.argv[3])):
    run(**inputs)
"""
# What XNNPACK reads of a CPU, here a single Cortex-A76: what is not here, QEMU takes from this
# machine, whose second cache would change how products are cut into tiles.
CPU_FILES = {
    "proc/cpuinfo": """processor : 0
Features : fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp
CPU implementer : 0x41
CPU architecture: 8
CPU variant : 0x1
CPU part : 0xd0b
CPU revision : 0
""",
    **{f"sys/devices/system/cpu/{name}": "0\n" for name in ("possible", "present", "online")},
    "sys/devices/system/cpu/cpu0/topology/core_id": "0\n",
    "sys/devices/system/cpu/cpu0/cache/index2/level": "2\n",
    "sys/devices/system/cpu/cpu0/cache/index2/size": "512K\n",
    "sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list": "0\n",
    "sys/devices/system/cpu/cpu0/topology/physical_package_id": "0\n",
}


def prepare(folder: Path) -> None:
    for name, content in CPU_FILES.items():
        (folder / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "root" / name).write_text(content)
    command = ["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-o", folder / "count.so", "-"]
    subprocess.run(command, input=PLUGIN, text=True, check=True)


def python_on(cpu: str, folder: Path, *options: str | Path) -> list[str | Path]:
    """The command that runs the AArch64 Python of a folder on an emulated CPU."""
    command = ["qemu-aarch64", *options, "-cpu", cpu, "-L", folder / "root"]
    command += ["-E", f"PYTHONPATH={folder / 'site'}", "-E", "OPENBLAS_NUM_THREADS=1"]
    return [*command, folder / "root/usr/bin/python3.11"]


def count(folder: Path, cpu: str, file: Path, length: int, runs: int) -> int:
    """Instructions of a whole process that runs a file so many times."""
    command = python_on(cpu, folder, "-plugin", folder / "count.so")
    command += ["-c", PROGRAM, file, str(length), str(runs)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"The emulated LiteRT could not run '{file}':\n{done.stderr[-2000:]}")
    return int(done.stderr.rsplit("counted", 1)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--lengths", default="128,25")
    parser.add_argument("--cpu", default="cortex-a76", help="a model that `-cpu help` lists")
    options = parser.parse_args()
    folder = options.folder.resolve()
    prepare(folder)
    for file in options.files:
        inputs = Interpreter(str(file)).get_signature_runner().get_input_details()
        fixed = int(inputs["input_ids"]["shape_signature"][1])
        for length in map(int, options.lengths.split(",")) if fixed < 0 else [fixed]:
            one, three = (count(folder, options.cpu, file, length, runs) for runs in (1, 3))
            print(f"{file.name:<40}{length:5} tokens {(three - one) / 2e6:8.1f} M", flush=True)


if __name__ == "__main__":
    main()
