/** Has Tone.js say nothing of itself on the console; goes before it. */
Object.assign(globalThis, { TONE_SILENCE_LOGGING: true });

export {};
