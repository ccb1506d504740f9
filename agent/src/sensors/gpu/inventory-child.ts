import { printGpuInventory } from './print-gpu-inventory.js';

printGpuInventory((line) => process.stdout.write(line));
