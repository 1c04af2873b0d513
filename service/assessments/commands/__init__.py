"""Tell the results of classes; say which institutions belong together."""
