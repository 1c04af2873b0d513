"""Read results of classes: what people see, what rates they make, what an assessment body is."""
