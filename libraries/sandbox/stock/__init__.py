"""What a stock cluster has for checkpoints: the kubelets' endpoint, archives in the real layout, and real node agents.

The agents are the code that real nodes run, each a process of its own. Archives are files, images go over HTTP; what is
emulated is what CRIU writes: the memory in an archive is that of an emulated process.
"""
