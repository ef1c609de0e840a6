"""Training: the trainer and what feeds it (batches), what moves the weights (optimizers), the run folder."""
