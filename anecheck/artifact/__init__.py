"""From bytes on disk to a model: Core ML's file formats, and nothing of the Neural Engine."""
