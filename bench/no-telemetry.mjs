// Import this before onnxruntime: it reads the variable when it is loaded, and so do child processes.
process.env.ORT_DISABLE_TELEMETRY = '1';
