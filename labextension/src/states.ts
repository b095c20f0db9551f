import type { KernelWatch } from './watch';

/** Why the sidebar has nothing to choose from, and what to do; null where it has. */
export function emptyState(watch: KernelWatch | null): string | null {
  if (watch === null) {
    return 'Open a notebook: the PyTorch models in its kernel are listed here.';
  }
  switch (watch.phase) {
    case 'none':
      return 'This notebook has no kernel. Choose one at the top right of the notebook.';
    case 'starting':
      return 'Waiting for the kernel…';
    case 'gone':
      return 'The kernel was restarted: run your cells.';
    case 'other language':
      return `This kernel speaks ${watch.language}. Models are found in Python kernels.`;
    default:
      return watch.failure || ofListing(watch);
  }
}

/** What stands above the lists. */
export function statusLine(watch: KernelWatch | null): string {
  if (watch?.phase !== 'busy') {
    return '';
  }
  return watch.listing === null ? 'The kernel is busy.' : 'The kernel is busy: this is what it held before.';
}

function ofListing({ listing, phase }: KernelWatch): string | null {
  if (listing === null) {
    return phase === 'busy' ? 'Its models are listed when the running cell is done.' : 'Looking…';
  }
  if (!listing.torch) {
    return 'This kernel has not imported torch. Run the cells that make your model.';
  }
  return listing.models.length === 0 ? 'No model yet. Give a torch.nn.Module a name in a cell, and run it.' : null;
}
