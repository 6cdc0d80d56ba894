import { defineConfig } from 'vite';

// Names without digests: the files are part of the repository, and the server gives them an ETag.
export default defineConfig({
  base: './',
  build: {
    outDir: 'out',
    emptyOutDir: true,
    modulePreload: false,
    target: 'es2022',
    rollupOptions: {
      output: { entryFileNames: 'page.js', chunkFileNames: '[name].js', assetFileNames: '[name][extname]' },
    },
  },
});
