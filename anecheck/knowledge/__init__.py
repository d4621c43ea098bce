"""What is known of the hardware and its software; every row has its source and how sure it is."""
