export const tspHelp = `usage: trigger tsp [action] [-nfgmBdE] [-L <label>] [-N <slots>] [-D <id>] [command...]
The command line of task-spooler (tsp), on a queue of triggerd. IDs are numbers from 0.

Environment:
  TS_QUEUE     the queue (default: "default")
  TS_ONFINISH  program to run when a job ends, with ID, exit code, output file and command
  TS_MAILTO    address for -m (default: $USER)
  TS_SLOTS     slots after -K (default: as configured)

Actions:
  -l       show the job list (default)
  -C       hide ended jobs
  -K       remove queued jobs, restart IDs at 0; running jobs continue
  -S [num] show or set the number of slots
  -t [id]  follow the output from its last 10 lines
  -c [id]  follow the output
  -p [id]  show the PID
  -o [id]  show the output file
  -i [id]  show job information
  -s [id]  show the state
  -r [id]  remove a queued job
  -w [id]  wait for a job
  -k [id]  kill a running job
  -u [id]  move a queued job to the head
  -U <id-id>  swap two queued jobs
  -h       show this help
  -V       show the version

Options for new jobs:
  -n       do not show the output file in the list; with -f print the output
  -E       keep stderr apart
  -g       compress the output file with gzip (not with -n)
  -m       mail the output (not with -n or -g)
  -f       wait until the job has ended
  -d       run only if the previous job succeeds
  -D <id>  run only if that job succeeds
  -L <label>  a label for the list
  -N <num> slots that the job takes
  -B       exit with 2 if the queue is full, do not wait
`;
